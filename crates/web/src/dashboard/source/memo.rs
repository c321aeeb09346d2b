//! One look for all who look: what many open pages ask for is asked of the node once, and is as old as it may be.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use super::trouble::Trouble;

/// An answer is given to all who ask within this time, as a rule.
pub(super) const FRESH: Duration = Duration::from_millis(900);

/// An answer that took long to get is given for so many times that long, so that asking takes a fifth of the node's time at
/// most.
const WORTH: u32 = 5;

/// So many answers are kept.
const MOST: usize = 128;

/// Answers by what was asked.
#[derive(Default)]
pub(crate) struct Memo {
    places: Mutex<HashMap<String, Arc<Turn<Option<Kept>>>>>,
}

struct Kept {
    value: Result<Arc<dyn Any + Send + Sync>, Trouble>,
    at: Instant,
    took: Duration,
}

/// An answer, how old it is, and what it cost.
#[derive(Debug)]
pub(crate) struct Looked<T> {
    pub(crate) value: Arc<T>,
    pub(crate) age: Duration,
    pub(crate) took: Duration,
}

impl Memo {
    /// The answer to a question, which is asked if the last answer is older than `fresh`. The key names the question and all of its
    /// arguments.
    pub(crate) async fn get<T: Send + Sync + 'static>(
        &self,
        fresh: Duration,
        key: String,
        ask: impl AsyncAsk<T>,
    ) -> Result<Looked<T>, Trouble> {
        let place = self.place(key);
        let mut kept = place.lock().await;
        if kept.as_ref().is_none_or(|kept| kept.at.elapsed() > fresh.max(kept.took * WORTH)) {
            let begun = Instant::now();
            let value = ask.ask().await.map(|value| Arc::new(value) as Arc<dyn Any + Send + Sync>);
            *kept = Some(Kept { value, at: Instant::now(), took: begun.elapsed() });
        }
        let absent = || Trouble::Absent { what: "The answer is of another kind than the question.".to_owned() };
        let Kept { value, at, took } = kept.as_ref().ok_or_else(absent)?;
        let value = Arc::clone(value.as_ref().map_err(Trouble::clone)?).downcast().map_err(|_| absent())?;
        Ok(Looked { value, age: at.elapsed(), took: *took })
    }

    fn place(&self, key: String) -> Arc<Turn<Option<Kept>>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST && !places.contains_key(&key) {
            // Those that nobody waits for and that are no longer fresh; if there are none, any.
            places.retain(|_, place| match place.try_lock() {
                Ok(kept) => kept.as_ref().is_some_and(|kept| kept.at.elapsed() <= FRESH),
                Err(_) => true,
            });
            if places.len() >= MOST {
                places.clear();
            }
        }
        Arc::clone(places.entry(key).or_default())
    }
}

/// A question that is asked if need be.
pub(crate) trait AsyncAsk<T> {
    fn ask(self) -> impl Future<Output = Result<T, Trouble>> + Send;
}

impl<T, F, R> AsyncAsk<T> for F
where
    F: FnOnce() -> R,
    R: Future<Output = Result<T, Trouble>> + Send,
{
    fn ask(self) -> impl Future<Output = Result<T, Trouble>> + Send {
        self()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn asked(memo: &Memo, key: &str, count: &AtomicUsize) -> usize {
        let ask = || async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(count.fetch_add(1, Ordering::Relaxed))
        };
        *memo.get(FRESH, key.to_owned(), ask).await.unwrap().value
    }

    #[tokio::test(start_paused = true)]
    async fn many_viewers_are_one_question() {
        let (memo, count) = (Memo::default(), AtomicUsize::new(0));
        let (a, b, c) = tokio::join!(asked(&memo, "a", &count), asked(&memo, "a", &count), asked(&memo, "b", &count));
        assert_eq!((a, b), (a, a));
        assert_ne!(a, c);
        assert_eq!(count.load(Ordering::Relaxed), 2);
        tokio::time::advance(FRESH + Duration::from_millis(1)).await;
        assert_eq!(asked(&memo, "a", &count).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_dear_is_asked_for_less_often() {
        let memo = Memo::default();
        let dear = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Instant::now())
        };
        let first = memo.get(FRESH, "x".to_owned(), dear).await.unwrap();
        tokio::time::advance(Duration::from_secs(4)).await;
        let second = memo.get(FRESH, "x".to_owned(), dear).await.unwrap();
        assert_eq!((first.value, second.age), (second.value, Duration::from_secs(4)));
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_grow() {
        let (memo, count) = (Memo::default(), AtomicUsize::new(0));
        for key in 0..1000 {
            asked(&memo, &key.to_string(), &count).await;
        }
        assert!(memo.places.lock().unwrap().len() <= MOST);
    }
}
