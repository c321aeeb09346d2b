//! The bytes that real `term_to_binary` of OTP 25, 27 and 29 gives for terms of every kind, and what they refuse.
//! `golden/generate.escript` records them.

use std::collections::HashSet;

use beamline_term::print::Erlang;
use beamline_term::{Limits, Term, codec::Decoder};
use bytes::Bytes;

struct Line<'a> {
    name: &'a str,
    bytes: Bytes,
    /// The bytes in which OTP 26 and later write the same term; `None` if it is refused.
    canonical: Option<Bytes>,
    text: &'a str,
}

fn bytes(hex: &str) -> Bytes {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn lines(file: &str) -> Vec<Line<'_>> {
    let lines: Vec<Line<'_>> = file
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.splitn(4, '\t').collect();
            let [name, input, canonical, text] = columns[..] else { panic!("four columns: {line}") };
            let input = bytes(input);
            let canonical = match canonical {
                "refused" => None,
                "=" => Some(input.clone()),
                other => Some(bytes(other)),
            };
            Line { name, bytes: input, canonical, text }
        })
        .collect();
    assert!(lines.len() > 150, "the file is whole");
    lines
}

const FILES: [(u32, &str); 3] = [
    (25, include_str!("golden/otp25.txt")),
    (27, include_str!("golden/otp27.txt")),
    (29, include_str!("golden/otp29.txt")),
];

#[test]
fn what_erlang_writes_is_read_and_written_back_in_its_own_bytes() {
    for (otp, file) in FILES {
        for line in lines(file) {
            let Some(canonical) = &line.canonical else { continue };
            let context = format!("OTP {otp}, {} {:.200}", line.name, format!("{:02x?}", &line.bytes[..]));
            let term = Term::decode(&line.bytes).unwrap_or_else(|error| panic!("{context}: {error}"));
            match term {
                // Never looked into, so given back as it came.
                Term::Fun(_) => assert_eq!(term.encode(), line.bytes[..], "{context}"),
                // OTP 25 writes those below 2^28 in the older form.
                Term::Port(_) if otp == 25 => assert_eq!(Term::decode(canonical), Ok(term), "{context}"),
                _ => {
                    assert_eq!(Term::decode(canonical).as_ref(), Ok(&term), "{context}");
                    assert_eq!(term.encode(), canonical[..], "{context}");
                }
            }
            let mut decoder = Decoder::new(&line.bytes);
            assert!(decoder.version().is_ok());
            if decoder.peek_tag() != Ok(beamline_term::codec::tag::COMPRESSED) {
                decoder.skip().unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(decoder.finish(), Ok(()), "{context}");
            }
        }
    }
}

#[test]
fn terms_are_printed_as_erlang_prints_them() {
    for (otp, file) in FILES {
        for line in lines(file) {
            if line.text.is_empty() || line.canonical.is_none() {
                continue;
            }
            let term = Term::decode(&line.bytes).expect("read in another test");
            assert_eq!(Erlang::raw(&term).to_string(), line.text, "OTP {otp}, {}", line.name);
        }
    }
}

/// Too long for the files: up to 65535 bytes a list is a string, from there on it is a list.
#[test]
fn long_lists_of_bytes_have_the_form_that_erlang_gives_them() {
    for (length, head) in [(65_535, &[131, 107, 0xff, 0xff, 7][..]), (65_536, &[131, 108, 0, 1, 0, 0, 97, 7, 97, 7])] {
        let list = Term::list(std::iter::repeat_n(Term::from(7), length));
        let bytes = Bytes::from(list.encode());
        assert_eq!(bytes[..head.len()], *head);
        assert_eq!(bytes.len(), if length > 65_535 { 7 + 2 * length } else { 4 + length });
        assert_eq!(Term::decode(&bytes), Ok(list));
    }
}

/// Every tag of the format is in the files, but for those that no BEAM writes or reads any more.
#[test]
fn every_tag_is_recorded() {
    let mut seen = HashSet::new();
    for line in FILES.iter().flat_map(|(_, file)| lines(file)) {
        seen.extend(line.bytes.get(1).copied());
    }
    let all = [67, 70, 77, 80, 82].into_iter().chain(88..=90).chain(97..=121);
    let missing: Vec<u8> = all.filter(|tag| !seen.contains(tag)).collect();
    assert!(missing.is_empty(), "no term begins with {missing:?}");
}

#[test]
fn what_erlang_refuses_is_refused() {
    for (otp, file) in FILES {
        for line in lines(file).iter().filter(|line| line.canonical.is_none()) {
            let read = Term::decode(&line.bytes);
            assert!(read.is_err(), "OTP {otp} refuses {}, this gave {read:?}", line.name);
        }
    }
}

#[test]
fn every_prefix_of_a_term_is_refused() {
    for line in lines(FILES[2].1).iter().filter(|line| line.canonical.is_some() && line.bytes.len() < 400) {
        for end in 0..line.bytes.len() {
            assert!(Term::decode(&line.bytes.slice(..end)).is_err(), "{}: {end} bytes of it", line.name);
        }
    }
}

#[test]
fn what_inflates_beyond_the_limit_is_refused() {
    let bomb = lines(FILES[0].1).into_iter().rfind(|line| line.name == "compressed").expect("a compressed term");
    let mut limits = Limits::default();
    limits.inflated_bytes = 1000;
    let mut decoder = Decoder::with_limits(&bomb.bytes, limits);
    assert!(decoder.version().is_ok());
    assert!(decoder.term().is_err());
}
