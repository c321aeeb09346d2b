//! Tokens and passwords: made from the system's randomness, compared in constant time, never printed by accident.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The fewest characters of a password, as Livebook asks for.
const PASSWORD_MIN: usize = 12;

/// The fewest characters of a token that comes from a file: 128 bits in base32.
const TOKEN_MIN: usize = 26;

/// The longest secret that is looked at.
pub(crate) const SECRET_MAX: usize = 1024;

/// A secret that opens the site: 32 random bytes as 52 letters and digits, or one that a file holds. It shows itself only
/// through [`reveal`](Token::reveal).
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn random() -> Self {
        Self(random_secret())
    }

    /// One that was kept, as in a file.
    ///
    /// # Errors
    /// It has fewer than 26 characters, or others than letters, digits, `-`, `_` and `.`.
    pub fn kept(text: &str) -> Result<Self, SecretError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.len() < TOKEN_MIN || text.len() > SECRET_MAX || !text.bytes().all(fits) {
            return Err(SecretError::Token);
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself, to hand to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A password that opens the site in place of the token. Only its digest is kept.
#[derive(Clone)]
pub struct Password(Sum);

impl Password {
    /// A password of at least 12 characters.
    ///
    /// # Errors
    /// It is shorter, or longer than 1024 bytes.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        if text.chars().count() < PASSWORD_MIN || text.len() > SECRET_MAX {
            return Err(SecretError::Password);
        }
        Ok(Self(Sum::of(text)))
    }

    pub(super) fn sum(&self) -> Sum {
        self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a secret is not taken. It is not in the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Too short, too long, or with other characters.
    #[error("a token has {TOKEN_MIN} to {SECRET_MAX} letters, digits, or - _ .")]
    Token,
    /// Too short or too long.
    #[error("a password has at least {PASSWORD_MIN} characters, and at most {SECRET_MAX} bytes")]
    Password,
}

/// 32 random bytes as 52 letters and digits.
pub(super) fn random_secret() -> String {
    BASE32_NOPAD.encode(&rand::random::<[u8; 32]>()).to_lowercase()
}

/// The digest of a secret: what is kept of it and compared, so that neither its length nor its content shows in the time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sum([u8; 32]);

impl Sum {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// In constant time.
    pub(super) fn is(self, other: Sum) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (Token::random(), Token::random());
        assert_eq!(one.reveal().len(), 52);
        assert_ne!(one.reveal(), other.reveal());
        assert!(!format!("{one:?}").contains(one.reveal()));
        assert_eq!(Token::kept(one.reveal()).unwrap().reveal(), one.reveal());
        assert_eq!(Token::kept("short").unwrap_err(), SecretError::Token);
        assert_eq!(Token::kept(&"a b".repeat(20)).unwrap_err(), SecretError::Token);
    }

    #[test]
    fn passwords_have_twelve_characters_at_least() {
        assert_eq!(Password::new("elevenchars").unwrap_err(), SecretError::Password);
        let password = Password::new("twelve chars").unwrap();
        assert!(password.sum().is(Sum::of("twelve chars")));
        assert!(!password.sum().is(Sum::of("twelve charz")));
        assert!(!format!("{password:?}").contains("twelve"));
    }
}
