//! What opens the site: a token for each power, a password, tokens that open once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::secret::{Password, SECRET_MAX, Sum, Token};
use crate::site::Power;

/// How long a token that opens once may wait.
const ONCE: Duration = Duration::from_secs(60);

/// The secrets, as digests.
pub(crate) struct Keys {
    tokens: Vec<(Power, Sum)>,
    password: Option<Sum>,
    most: Power,
    once: Mutex<Vec<(Sum, Instant)>>,
}

impl Keys {
    /// A password takes the place of the token of most power: that token then opens nothing.
    pub(crate) fn new(tokens: &[(Power, Token)], password: Option<&Password>, most: Power) -> Self {
        let tokens = tokens.iter().filter(|(power, _)| password.is_none() || *power < most);
        let tokens = tokens.map(|(power, token)| (*power, Sum::of(token.reveal()))).collect();
        Self { tokens, password: password.map(Password::sum), most, once: Mutex::default() }
    }

    /// This token opens the site once, within a minute: other users of the machine may see it in the list
    /// of processes.
    pub(crate) fn opens_once(&self, token: &Token) {
        let mut once = self.once.lock().unwrap_or_else(PoisonError::into_inner);
        once.push((Sum::of(token.reveal()), Instant::now() + ONCE));
    }

    /// What a secret opens. All that it may be are compared, whichever it is.
    pub(crate) fn open(&self, secret: &str) -> Option<Power> {
        if secret.len() > SECRET_MAX {
            return None;
        }
        let sum = Sum::of(secret);
        let mut power = None;
        for (opens, token) in &self.tokens {
            if token.is(sum) {
                power = power.max(Some(*opens));
            }
        }
        if self.password.is_some_and(|password| password.is(sum)) || self.spend(sum) {
            power = Some(self.most);
        }
        power
    }

    pub(crate) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    fn spend(&self, sum: Sum) -> bool {
        let mut once = self.once.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let before = once.len();
        let mut found = false;
        once.retain(|(token, until)| {
            let is = token.is(sum);
            found |= is && *until > now;
            !is && *until > now
        });
        found && once.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_power() {
        let tokens = [(Power::View, Token::random()), (Power::Eval, Token::random())];
        let keys = Keys::new(&tokens, None, Power::Eval);
        assert_eq!(keys.open(tokens[0].1.reveal()), Some(Power::View));
        assert_eq!(keys.open(tokens[1].1.reveal()), Some(Power::Eval));
        assert_eq!(keys.open(""), None);
    }

    #[test]
    fn a_password_takes_the_place_of_the_token() {
        let tokens = [(Power::View, Token::random()), (Power::Eval, Token::random())];
        let password = Password::new("correct horse").unwrap();
        let keys = Keys::new(&tokens, Some(&password), Power::Eval);
        assert_eq!(keys.open("correct horse"), Some(Power::Eval));
        assert_eq!(keys.open(tokens[0].1.reveal()), Some(Power::View));
        assert_eq!(keys.open(tokens[1].1.reveal()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_opens_once() {
        let keys = Keys::new(&[], None, Power::View);
        let (token, late) = (Token::random(), Token::random());
        keys.opens_once(&token);
        keys.opens_once(&late);
        assert_eq!(keys.open(token.reveal()), Some(Power::View));
        assert_eq!(keys.open(token.reveal()), None);
        tokio::time::advance(ONCE).await;
        assert_eq!(keys.open(late.reveal()), None);
    }
}
