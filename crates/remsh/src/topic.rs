//! `h`: what is known of a module or a function, here and on the node that is looked at.

use beamline_term::Atom;

use crate::calls::Calls;
use crate::helpers::{HELPERS, columns};

impl Calls {
    /// What `h` tells of a topic: a module, or a function of one.
    pub(crate) async fn topic(&self, topic: &str) -> String {
        let topic = topic.trim().trim_start_matches('&');
        let (topic, _) = topic.split_once('/').unwrap_or((topic, ""));
        let topic = topic.trim_end_matches("()");
        let is_alias = |text: &str| {
            text.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_uppercase()))
        };
        let (module, function) = match topic.strip_prefix(':') {
            Some(rest) => rest.split_once('.').map_or((rest, None), |(module, function)| (module, Some(function))),
            None if is_alias(topic) => (topic, None),
            None => match topic.rsplit_once('.') {
                Some((module, function)) => (module, Some(function)),
                None => ("Kernel", Some(topic)),
            },
        };
        if let (Some(name), "Kernel") = (function, module)
            && let Some((name, arities, what)) = HELPERS.iter().find(|helper| helper.0 == name)
        {
            let arities: Vec<String> = arities.iter().map(|arity| format!("{name}/{arity}")).collect();
            return format!("* {}: {what}\n", arities.join(", "));
        }
        let name = if topic.starts_with(':') { module.to_owned() } else { format!("Elixir.{module}") };
        let own: Vec<(String, usize)> = beamline_elixir::functions()
            .into_iter()
            .filter(|(of, ..)| *of == module && (module != "erlang" || topic.starts_with(':')))
            .map(|(_, name, arity)| (name.to_owned(), arity))
            .collect();
        let theirs = match Atom::new(&name) {
            Ok(module) => self.exports(&module).await,
            Err(_) => Vec::new(),
        };
        let wanted = |name: &str| function.is_none_or(|function| function == name);
        let mut text = String::new();
        let own: Vec<_> = own.into_iter().filter(|(name, _)| wanted(name)).collect();
        let theirs: Vec<_> = theirs.into_iter().filter(|entry| wanted(&entry.0) && !own.contains(entry)).collect();
        if !own.is_empty() {
            text.push_str(&format!("{topic}: evaluated here, as Elixir's\n{}", columns(&own)));
        }
        if !theirs.is_empty() {
            text.push_str(&format!("{topic}: exported by {}\n{}", self.target(), columns(&theirs)));
        }
        if text.is_empty() {
            text = format!("Nothing is known of {topic}: neither here nor on {}\n", self.target());
        }
        text
    }
}
