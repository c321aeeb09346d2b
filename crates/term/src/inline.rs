//! A few bytes in place: most atoms and many binaries are no longer.

/// Up to 22 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Inline {
    length: u8,
    /// What stands behind the end means nothing.
    bytes: [u8; Inline::ROOM],
}

impl Inline {
    pub(crate) const ROOM: usize = 22;

    /// These bytes, if there are few of them.
    #[inline]
    pub(crate) fn new(from: &[u8]) -> Option<Inline> {
        let mut bytes = [0; Inline::ROOM];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Inline { length: from.len() as u8, bytes })
    }

    /// The first `length` bytes, which must be few: a copy of a fixed size takes less than one of any size.
    #[inline(always)]
    pub(crate) fn front(from: &[u8; Inline::ROOM], length: u8) -> Inline {
        Inline { length, bytes: *from }
    }

    /// The bytes of a number, the least first.
    #[inline(always)]
    pub(crate) fn of_number(number: u128, length: u8) -> Inline {
        let mut bytes = [0; Inline::ROOM];
        bytes[..16].copy_from_slice(&number.to_le_bytes());
        Inline { length, bytes }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The bytes of a text of the program, at most 22.
    pub(crate) const fn of_text(text: &str) -> Inline {
        let mut bytes = [0; Inline::ROOM];
        bytes.split_at_mut(text.len()).0.copy_from_slice(text.as_bytes());
        Inline { length: text.len() as u8, bytes }
    }

    /// Appends a head that ends in the length, and the bytes: in one copy of a fixed size, for which `ALL` is large enough.
    #[inline(always)]
    pub(crate) fn append_to<const HEAD: usize, const ALL: usize>(&self, out: &mut Vec<u8>, head: [u8; HEAD]) {
        const { assert!(HEAD + Inline::ROOM == ALL, "room for head and bytes") };
        let end = out.len() + HEAD + usize::from(self.length);
        let mut all = [0; ALL];
        all[..HEAD].copy_from_slice(&head);
        all[HEAD - 1] = self.length;
        all[HEAD..].copy_from_slice(&self.bytes);
        out.extend_from_slice(&all);
        out.truncate(end);
    }
}

/// The first `length` bytes, at most 16, as a number: the least byte first, and zeros behind the last. In registers, since a
/// copy of odd sizes in memory cannot be read again at once.
#[inline(always)]
pub(crate) fn number(from: &[u8], length: usize) -> Option<u128> {
    match from.first_chunk() {
        Some(front) if length <= 8 => {
            let unwanted = (8 * (8 - length)) as u32;
            Some(u128::from(u64::from_le_bytes(*front) & u64::MAX.checked_shr(unwanted).unwrap_or(0)))
        }
        Some(front) => {
            let back = u64::from_le_bytes(*from.get(..length)?.last_chunk()?) >> (8 * (16 - length));
            Some(u128::from(u64::from_le_bytes(*front)) | u128::from(back) << 64)
        }
        None => few(from.get(..length)?).map(u128::from),
    }
}

/// Fewer than eight bytes as a number.
#[inline(always)]
fn few(from: &[u8]) -> Option<u64> {
    let length = from.len();
    // Two parts that overlap, or three bytes of which some are the same.
    if let (Some(first), Some(last)) = (from.first_chunk(), from.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4));
        return Some(u64::from(u32::from_le_bytes(*first)) | last);
    }
    let (Some(first), Some(last)) = (from.first(), from.last()) else { return Some(0) };
    let middle = u64::from(*from.get(length / 2)?) << (8 * (length / 2));
    Some(u64::from(*first) | middle | u64::from(*last) << (8 * (length - 1)))
}

/// Whether all bytes of a number are ASCII.
#[inline(always)]
pub(crate) fn is_ascii_number(number: u128) -> bool {
    number & HIGH_BITS == 0
}

const HIGH_BITS: u128 = u128::from_le_bytes([0x80; 16]);

/// Whether the first `length` bytes, at most 22, are ASCII.
#[inline(always)]
pub(crate) fn is_ascii(from: &[u8; Inline::ROOM], length: u8) -> bool {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = *from;
    let low = u128::from_le_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
    let high = u64::from_le_bytes([q, r, s, t, u, v, 0, 0]);
    match length {
        0..16 => low & HIGH_BITS & ((1 << (8 * length)) - 1) == 0,
        _ => low & HIGH_BITS == 0 && high & HIGH_BITS as u64 & ((1 << (8 * (length - 16) % 64)) - 1) == 0,
    }
}

impl PartialEq for Inline {
    #[inline]
    fn eq(&self, other: &Inline) -> bool {
        self.as_slice() == other.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_copies_give_the_same() {
        let from: [u8; Inline::ROOM] = std::array::from_fn(|place| place as u8 + 1);
        for length in 0..=Inline::ROOM {
            let (long, short) = (Inline::front(&from, length as u8), Inline::new(&from[..length]).expect("fits"));
            assert!(long == short, "{length}");
            if length <= 16 {
                for end in [length, 8, 16, 20].into_iter().filter(|end| *end >= length) {
                    let number = number(&from[..end], length).expect("so many are there");
                    assert!(Inline::of_number(number, length as u8) == short, "{length}");
                }
            }
            assert_eq!(long.as_slice(), &from[..length]);
            let mut out = vec![0];
            long.append_to::<2, 24>(&mut out, [7, 0]);
            assert_eq!(out[..3], [0, 7, length as u8]);
            assert_eq!(out[3..], from[..length]);
        }
        assert!(Inline::new(&[0; Inline::ROOM + 1]).is_none());
    }

    #[test]
    fn only_its_own_bytes_are_looked_at() {
        for place in 0..Inline::ROOM {
            let mut from = [b'a'; Inline::ROOM];
            from[place] = 0xc3;
            for length in 0..=Inline::ROOM {
                assert_eq!(is_ascii(&from, length as u8), length <= place, "{place}, {length}");
            }
        }
    }
}
