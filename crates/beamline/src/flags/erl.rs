//! The string behind `--erl`: flags of Erlang's emulator that mean something to a Beamline node.
//!
//! What is accepted means here what it means there (`erl` and `kernel` manual pages). Everything else is an error that
//! names it: a flag that is silently ignored would be found out in production.

use std::str::FromStr;
use std::time::Duration;

use beamline_node::{AutoConnect, Family};
use beamline_proto::{Cookie, NameError, NodeName};

/// What the flags say; `None` where they say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErlFlags {
    /// `-dist_listen BOOL`: false is a node that only dials out; it is hidden, and epmd does not know it.
    pub dist_listen: Option<bool>,
    /// `-erl_epmd_port PORT`: ask no epmd, all nodes listen on this port.
    pub erl_epmd_port: Option<u16>,
    /// `-start_epmd BOOL`: whether an epmd may be started if none runs.
    pub start_epmd: Option<bool>,
    /// `-hidden`.
    pub hidden: bool,
    /// `-setcookie COOKIE`.
    pub cookie: Option<Cookie>,
    /// `-setcookie NODE COOKIE`, as often as there are nodes with cookies of their own.
    pub cookies: Vec<(NodeName, Cookie)>,
    /// `-proto_dist inet_tcp` or `inet6_tcp`.
    pub family: Option<Family>,
    /// `-connect_all BOOL`.
    pub connect_all: Option<bool>,
    /// `-kernel inet_dist_listen_min PORT`.
    pub listen_min: Option<u16>,
    /// `-kernel inet_dist_listen_max PORT`.
    pub listen_max: Option<u16>,
    /// `-kernel net_ticktime SECONDS`.
    pub net_ticktime: Option<Duration>,
    /// `-kernel net_tickintensity NUMBER`, 4 to 1000.
    pub net_tickintensity: Option<u32>,
    /// `-kernel net_setuptime SECONDS`, 1 to 120.
    pub net_setuptime: Option<Duration>,
    /// `-kernel dist_auto_connect never` or `once`.
    pub auto_connect: Option<AutoConnect>,
    /// `-kernel prevent_overlapping_partitions BOOL`.
    pub prevent_overlapping_partitions: Option<bool>,
}

/// Why the string behind `--erl` is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErlFlagError {
    /// A flag, or a parameter of `-kernel`, that a Beamline node does not have.
    #[error("{0} is not among the flags that --erl takes ({ACCEPTED})")]
    Unknown(String),
    /// A flag without its value.
    #[error("{0} needs a value")]
    Missing(String),
    /// A flag with a value that it does not take.
    #[error("{flag} takes {wanted}, not {value:?}")]
    Value {
        /// The flag.
        flag: String,
        /// What it takes.
        wanted: &'static str,
        /// What it got.
        value: String,
    },
    /// `-setcookie` with a node's name that is none.
    #[error("-setcookie: {0}")]
    Node(#[from] NameError),
    /// Words that belong to no flag.
    #[error("{value:?} belongs to no flag")]
    Stray {
        /// The first of them.
        value: String,
    },
    /// A quotation mark without its partner.
    #[error("a quotation mark is not closed")]
    Quote,
    /// `inet_dist_listen_min` above `inet_dist_listen_max`.
    #[error("inet_dist_listen_min {min} is above inet_dist_listen_max {max}")]
    Range {
        /// The lower end.
        min: u16,
        /// The upper end.
        max: u16,
    },
}

const ACCEPTED: &str = "-dist_listen, -erl_epmd_port, -start_epmd, -hidden, -setcookie, -connect_all, -proto_dist, -kernel \
                        with inet_dist_listen_min, inet_dist_listen_max, net_ticktime, net_tickintensity, net_setuptime, \
                        dist_auto_connect, prevent_overlapping_partitions";

impl FromStr for ErlFlags {
    type Err = ErlFlagError;

    fn from_str(text: &str) -> Result<Self, ErlFlagError> {
        let words = words(text)?;
        let mut flags = Self::default();
        let mut rest = words.as_slice();
        while let Some((flag, after)) = rest.split_first() {
            if !flag.starts_with('-') {
                return Err(ErlFlagError::Stray { value: flag.clone() });
            }
            // As erl reads it: the values of a flag go on to the next word that starts with a dash.
            let end = after.iter().position(|word| word.starts_with('-')).unwrap_or(after.len());
            let (values, next) = after.split_at(end);
            flags.take(flag, values)?;
            rest = next;
        }
        if let (Some(min), Some(max)) = (flags.listen_min, flags.listen_max)
            && min > max
        {
            return Err(ErlFlagError::Range { min, max });
        }
        Ok(flags)
    }
}

impl ErlFlags {
    fn take(&mut self, flag: &str, values: &[String]) -> Result<(), ErlFlagError> {
        match flag {
            "-hidden" => {
                self.hidden = true;
                return none_left(values);
            }
            "-kernel" => return self.kernel(values),
            "-dist_listen" | "-erl_epmd_port" | "-start_epmd" | "-setcookie" | "-connect_all" | "-proto_dist" => {}
            unknown => return Err(ErlFlagError::Unknown(unknown.to_owned())),
        }
        let (value, left) = values.split_first().ok_or_else(|| ErlFlagError::Missing(flag.to_owned()))?;
        match flag {
            "-dist_listen" => self.dist_listen = Some(boolean(flag, value)?),
            "-erl_epmd_port" => self.erl_epmd_port = Some(port(flag, value)?),
            "-start_epmd" => self.start_epmd = Some(boolean(flag, value)?),
            "-connect_all" => self.connect_all = Some(boolean(flag, value)?),
            "-proto_dist" => self.family = Some(family(flag, value)?),
            _ => return self.set_cookie(value, left),
        }
        none_left(left)
    }

    /// Its words are not shown in errors: one of them is a cookie.
    fn set_cookie(&mut self, first: &str, left: &[String]) -> Result<(), ErlFlagError> {
        match left {
            [] => self.cookie = Some(Cookie::from(first)),
            [cookie] => self.cookies.push((first.parse()?, Cookie::from(cookie.as_str()))),
            _ => {
                let wanted = "COOKIE or NODE COOKIE";
                let value = format!("{} words", left.len() + 1);
                return Err(ErlFlagError::Value { flag: "-setcookie".to_owned(), wanted, value });
            }
        }
        Ok(())
    }

    fn kernel(&mut self, parameters: &[String]) -> Result<(), ErlFlagError> {
        if parameters.is_empty() {
            return Err(ErlFlagError::Missing("-kernel".to_owned()));
        }
        for pair in parameters.chunks(2) {
            let (name, value) = (pair[0].as_str(), pair.get(1));
            let flag = format!("-kernel {name}");
            let value = || value.ok_or_else(|| ErlFlagError::Missing(flag.clone()));
            match name {
                "inet_dist_listen_min" => self.listen_min = Some(port(&flag, value()?)?),
                "inet_dist_listen_max" => self.listen_max = Some(port(&flag, value()?)?),
                "net_ticktime" => self.net_ticktime = Some(seconds(&flag, value()?, u32::MAX)?),
                "net_tickintensity" => self.net_tickintensity = Some(intensity(&flag, value()?)?),
                "net_setuptime" => self.net_setuptime = Some(seconds(&flag, value()?, 120)?),
                "dist_auto_connect" => self.auto_connect = Some(auto_connect(&flag, value()?)?),
                "prevent_overlapping_partitions" => {
                    self.prevent_overlapping_partitions = Some(boolean(&flag, value()?)?);
                }
                _ => return Err(ErlFlagError::Unknown(flag)),
            }
        }
        Ok(())
    }
}

fn none_left(values: &[String]) -> Result<(), ErlFlagError> {
    match values.first() {
        None => Ok(()),
        Some(value) => Err(ErlFlagError::Stray { value: value.clone() }),
    }
}

fn wrong(flag: &str, wanted: &'static str, value: &str) -> ErlFlagError {
    ErlFlagError::Value { flag: flag.to_owned(), wanted, value: value.to_owned() }
}

fn boolean(flag: &str, value: &str) -> Result<bool, ErlFlagError> {
    value.parse().map_err(|_| wrong(flag, "true or false", value))
}

fn port(flag: &str, value: &str) -> Result<u16, ErlFlagError> {
    value.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong(flag, "a port, 1 to 65535", value))
}

fn seconds(flag: &str, value: &str, most: u32) -> Result<Duration, ErlFlagError> {
    let seconds = value.parse::<u32>().ok().filter(|seconds| (1..=most).contains(seconds));
    let wanted = if most == 120 { "a number of seconds, 1 to 120" } else { "a number of seconds above 0" };
    Ok(Duration::from_secs(seconds.ok_or_else(|| wrong(flag, wanted, value))?.into()))
}

fn intensity(flag: &str, value: &str) -> Result<u32, ErlFlagError> {
    let ticks = value.parse().ok().filter(|ticks| (4..=1000).contains(ticks));
    ticks.ok_or_else(|| wrong(flag, "a number, 4 to 1000", value))
}

fn family(flag: &str, value: &str) -> Result<Family, ErlFlagError> {
    match value {
        "inet_tcp" => Ok(Family::V4),
        "inet6_tcp" => Ok(Family::V6),
        _ => Err(wrong(flag, "inet_tcp or inet6_tcp", value)),
    }
}

fn auto_connect(flag: &str, value: &str) -> Result<AutoConnect, ErlFlagError> {
    match value {
        "never" => Ok(AutoConnect::Never),
        "once" => Ok(AutoConnect::Once),
        _ => Err(wrong(flag, "never or once", value)),
    }
}

/// Splits at blanks, except within single or double quotation marks.
fn words(text: &str) -> Result<Vec<String>, ErlFlagError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match quote {
            Some(mark) if character == mark => quote = None,
            None if character == '\'' || character == '"' => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err(ErlFlagError::Quote);
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ErlFlags, ErlFlagError> {
        text.parse()
    }

    #[test]
    fn the_articles_line() {
        let flags = read("-dist_listen false -erl_epmd_port 9000").unwrap();
        assert_eq!(flags, ErlFlags { dist_listen: Some(false), erl_epmd_port: Some(9000), ..ErlFlags::default() });
    }

    #[test]
    fn everything_that_is_accepted() {
        let flags = read(
            "-start_epmd false -hidden -setcookie 'a b' -connect_all false \
             -kernel inet_dist_listen_min 9000 inet_dist_listen_max 9010 -kernel net_ticktime 15 \
             prevent_overlapping_partitions \"false\" net_tickintensity 8 net_setuptime 3 dist_auto_connect never \
             -proto_dist inet6_tcp -setcookie b@h c",
        )
        .unwrap();
        assert_eq!(
            flags,
            ErlFlags {
                dist_listen: None,
                erl_epmd_port: None,
                start_epmd: Some(false),
                hidden: true,
                cookie: Some(Cookie::from("a b")),
                cookies: vec![("b@h".parse().unwrap(), Cookie::from("c"))],
                family: Some(Family::V6),
                connect_all: Some(false),
                listen_min: Some(9000),
                listen_max: Some(9010),
                net_ticktime: Some(Duration::from_secs(15)),
                net_tickintensity: Some(8),
                net_setuptime: Some(Duration::from_secs(3)),
                auto_connect: Some(AutoConnect::Never),
                prevent_overlapping_partitions: Some(false),
            }
        );
        assert_eq!(read("-kernel dist_auto_connect once").unwrap().auto_connect, Some(AutoConnect::Once));
        assert_eq!(read("  "), Ok(ErlFlags::default()));
    }

    #[test]
    fn anything_else_is_named() {
        for (text, named) in [
            ("-proto_dist inet_tls", "-proto_dist"),
            ("-proto_dist", "-proto_dist needs a value"),
            ("-kernel net_tickintensity 3", "4 to 1000"),
            ("-kernel net_setuptime 121", "1 to 120"),
            ("-kernel dist_auto_connect true", "never or once"),
            ("-setcookie b c", "\"b\" is not a node name"),
            ("-setcookie b@h c d", "3 words"),
            ("+K true", "\"+K\""),
            ("-kernel logger_level debug", "-kernel logger_level"),
            ("-kernel", "-kernel needs a value"),
            ("-kernel net_ticktime", "-kernel net_ticktime needs a value"),
            ("-kernel net_ticktime 0", "\"0\""),
            ("-erl_epmd_port", "-erl_epmd_port needs a value"),
            ("-erl_epmd_port 70000", "\"70000\""),
            ("-dist_listen no", "\"no\""),
            ("-hidden true", "\"true\""),
            ("-dist_listen false true", "\"true\""),
            ("stray", "\"stray\""),
            ("-setcookie 'open", "quotation mark"),
            ("-kernel inet_dist_listen_min 2 inet_dist_listen_max 1", "2 is above"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_cookie_is_never_shown() {
        assert!(!format!("{:?}", read("-setcookie hush")).contains("hush"));
        for text in ["-setcookie a@b hush", "-setcookie a@b hush hush", "-setcookie ab hush"] {
            assert!(!format!("{:?}", read(text)).contains("hush"), "{text}");
        }
    }
}
