//! Who has entered: sessions in memory, which end when they are idle, too old, or left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::time::Instant;

use super::secret::{Sum, random_secret};
use crate::site::{Power, Visitor};

/// How many sessions there are at most; a new one then ends the one that has been idle longest.
const SESSIONS: usize = 256;

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    /// Without any request, and without an open page.
    pub(crate) idle: Duration,
    /// Whatever happens.
    pub(crate) absolute: Duration,
}

/// The key of a session: the digest of what its cookie holds.
pub(crate) type Key = Sum;

pub(crate) struct Sessions {
    lifetime: Lifetime,
    table: Mutex<HashMap<Key, Session>>,
}

struct Session {
    visitor: Arc<Visitor>,
    begun: Instant,
    used: Instant,
}

impl Sessions {
    pub(crate) fn new(lifetime: Lifetime) -> Self {
        Self { lifetime, table: Mutex::default() }
    }

    /// Begins a session: its visitor, and what its cookie is to hold, which is kept nowhere.
    pub(crate) fn begin(&self, power: Power) -> (Arc<Visitor>, String) {
        let secret = random_secret();
        let key = Sum::of(&secret);
        let name = HEXLOWER.encode(&rand::random::<[u8; 4]>());
        let visitor = Arc::new(Visitor { name, form_token: random_secret(), power, session: Some(key) });
        let now = Instant::now();
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(|_, session| session.lives(self.lifetime, now));
        if table.len() >= SESSIONS
            && let Some(oldest) = table.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            table.remove(&oldest);
        }
        table.insert(key, Session { visitor: Arc::clone(&visitor), begun: now, used: now });
        (visitor, secret)
    }

    /// The visitor whose cookie this is; the session counts as used.
    pub(crate) fn find(&self, secret: &str) -> Option<Arc<Visitor>> {
        self.touch(Sum::of(secret))
    }

    /// The same by the session's key, for a page that is open.
    pub(crate) fn touch(&self, key: Key) -> Option<Arc<Visitor>> {
        let now = Instant::now();
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let session = table.get_mut(&key)?;
        if !session.lives(self.lifetime, now) {
            table.remove(&key);
            return None;
        }
        session.used = now;
        Some(Arc::clone(&session.visitor))
    }

    pub(crate) fn end(&self, key: Key) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        self.lifetime
    }
}

impl Session {
    fn lives(&self, lifetime: Lifetime, now: Instant) -> bool {
        now < self.used + lifetime.idle && now < self.begun + lifetime.absolute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn sessions() -> Sessions {
        Sessions::new(Lifetime { idle: HOUR, absolute: 5 * HOUR })
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_session_ends_and_a_used_one_lasts_until_it_is_too_old() {
        let sessions = sessions();
        let (idle, used) = (sessions.begin(Power::View).1, sessions.begin(Power::Eval).1);
        for _ in 0..5 {
            assert_eq!(sessions.find(&used).unwrap().power, Power::Eval);
            tokio::time::advance(HOUR - Duration::from_secs(1)).await;
        }
        assert!(sessions.find(&idle).is_none());
        assert!(sessions.find(&used).is_some());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(sessions.find(&used).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded() {
        let sessions = sessions();
        let (_, first) = sessions.begin(Power::View);
        tokio::time::advance(Duration::from_secs(1)).await;
        let (_, second) = sessions.begin(Power::View);
        for _ in 0..SESSIONS - 1 {
            tokio::time::advance(Duration::from_millis(1)).await;
            sessions.begin(Power::View);
        }
        assert!(sessions.find(&first).is_none());
        assert!(sessions.find(&second).is_some());
    }

    #[tokio::test]
    async fn one_that_was_left_is_over() {
        let sessions = sessions();
        let (visitor, secret) = sessions.begin(Power::View);
        assert!(sessions.find(&secret).is_some());
        sessions.end(visitor.session.unwrap());
        assert!(sessions.find(&secret).is_none());
    }
}
