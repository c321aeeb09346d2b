//! Small containers that were freed on this thread and wait to be filled again. Terms are read and freed in rows of tuples
//! and lists of a few elements, and the general allocator takes longer for one of them than reading its elements does.
//!
//! A thread keeps at most [`KEPT`] bytes of each size, 256 KiB in all; what is freed beyond goes back to the allocator. What is
//! kept here holds whatever was last in it and owns nothing, as a number does.

use std::cell::RefCell;

use crate::Term;

/// The largest container that is kept, in elements.
pub(crate) const LARGEST: usize = 8;
/// How many bytes of freed containers of one size a thread keeps.
const KEPT: usize = 32 << 10;

thread_local! {
    /// By size.
    static POOL: RefCell<[Vec<Box<[Term]>>; LARGEST + 1]> =
        const { RefCell::new([const { Vec::new() }; LARGEST + 1]) };
}

const NOTHING: Term = Term::Integer(0);

/// Room for so many terms, with terms in it that own nothing. Not for counts that nobody has checked: the memory is taken.
#[inline]
pub(crate) fn room(count: usize) -> Box<[Term]> {
    let kept = match count {
        1..=LARGEST => POOL.try_with(|pool| {
            let mut pool = pool.try_borrow_mut().ok()?;
            pool.get_mut(count)?.pop()
        }),
        _ => Ok(None),
    };
    kept.ok().flatten().unwrap_or_else(|| (0..count).map(|_| NOTHING).collect())
}

/// Takes back a container whose terms own nothing.
#[inline]
pub(crate) fn give_back(terms: Box<[Term]>) {
    let count = terms.len();
    if (1..=LARGEST).contains(&count) {
        // While the thread ends there is no pool any more, and the container is freed.
        let _ = POOL.try_with(|pool| {
            let Ok(mut pool) = pool.try_borrow_mut() else { return };
            let kept = &mut pool[count];
            if (kept.len() + 1) * count * size_of::<Term>() <= KEPT {
                kept.push(terms);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dismantle::owns_nothing;

    fn kept(size: usize) -> usize {
        POOL.with_borrow(|pool| {
            let kept = pool.get(size).map_or(&[][..], |kept| kept);
            assert!(kept.iter().all(|terms| terms.len() == size && terms.iter().all(owns_nothing)));
            kept.len()
        })
    }

    #[test]
    fn what_is_kept_is_bounded_and_given_out_again() {
        for size in 0..20 {
            let all: Vec<_> = (0..2000).map(|_| room(size)).collect();
            assert!(all.iter().all(|terms| terms.len() == size && terms.iter().all(owns_nothing)));
            all.into_iter().for_each(give_back);
            let full = kept(size);
            assert_eq!(full, if (1..=LARGEST).contains(&size) { KEPT / size / size_of::<Term>() } else { 0 });
            let some = room(size);
            assert_eq!(kept(size), full.saturating_sub(1));
            give_back(some);
            assert_eq!(kept(size), full);
        }
    }
}
