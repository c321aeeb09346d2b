//! Addresses of the site's pages: parts that come from elsewhere are encoded.

use std::fmt::Write;

/// One segment of a path: `app@host` stays as it is, what would end the segment or the path is percent-encoded.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'@' | b':' => out.push(char::from(byte)),
            // A segment of dots alone would be taken for a step up.
            b'.' if text.bytes().any(|byte| byte != b'.') => out.push('.'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_segment() {
        assert_eq!(segment("app_a@127.0.0.1"), "app_a@127.0.0.1");
        assert_eq!(segment("<0.9.0>"), "%3C0.9.0%3E");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("a/b?c#d é"), "a%2Fb%3Fc%23d%20%C3%A9");
    }
}
