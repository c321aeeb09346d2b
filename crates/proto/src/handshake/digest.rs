//! The proof of knowing the cookie: MD5 of the cookie followed by the challenge in decimal digits.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::Cookie;

pub(super) fn digest(cookie: &Cookie, challenge: u32) -> [u8; 16] {
    Md5::new().chain_update(cookie.bytes()).chain_update(challenge.to_string()).finalize().into()
}

/// Compares in constant time, so that a peer learns nothing from how long it takes.
pub(super) fn matches(cookie: &Cookie, challenge: u32, given: &[u8]) -> bool {
    digest(cookie, challenge).ct_eq(given).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_first_then_decimal_challenge() {
        // erlang:md5("secret" ++ "4294967295")
        let expected: [u8; 16] = Md5::digest(b"secret4294967295").into();
        assert_eq!(digest(&"secret".into(), u32::MAX), expected);
        assert!(!matches(&"secret".into(), 1, &expected) && matches(&"secret".into(), u32::MAX, &expected));
    }
}
