//! `h`: what is said of a module or a function, here and on the node that is looked at.

use beamline_elixir::{Documentation, Event, Session, documentation};
use beamline_term::{Atom, Inspect, Term, atom};

use crate::calls::Calls;
use crate::helpers::{ABSENT, HELPERS, QUICK, columns};

/// No text of a node is shown longer than this, in bytes.
const LONGEST: usize = 64 << 10;

/// What `h` is asked for.
struct Topic<'a> {
    /// The atom of the module.
    module: String,
    /// The same as it is written.
    shown: &'a str,
    function: Option<&'a str>,
    arity: Option<usize>,
}

impl<'a> Topic<'a> {
    fn read(text: &'a str) -> Topic<'a> {
        let text = text.trim().trim_start_matches('&');
        let (text, arity) = match text.rsplit_once('/') {
            Some((name, arity)) if !name.is_empty() && arity.parse::<usize>().is_ok() => (name, arity.parse().ok()),
            _ => (text, None),
        };
        let text = text.trim_end_matches("()");
        let is_alias = |text: &str| {
            text.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_uppercase()))
        };
        let (shown, function) = match text.rsplit_once('.') {
            _ if is_alias(text) => (text, None),
            Some((module, function)) if !module.is_empty() => (module, Some(function)),
            _ if text.starts_with(':') => (text, None),
            _ => ("Kernel", Some(text)),
        };
        let module = match shown.strip_prefix(':') {
            Some(erlang) => erlang.trim_matches('"').to_owned(),
            None => format!("Elixir.{shown}"),
        };
        Topic { module, shown, function, arity }
    }

    fn wants(&self, name: &str, arity: usize) -> bool {
        self.function.is_none_or(|function| function == name) && self.arity.is_none_or(|wanted| wanted == arity)
    }
}

impl Calls {
    /// What `h` tells of a topic: a module, or a function of one.
    pub(crate) async fn topic(&self, text: &str) -> String {
        let topic = Topic::read(text);
        if let (Some(name), "Kernel") = (topic.function, topic.shown)
            && let Some(told) = helper(name)
        {
            return told;
        }
        let alias = topic.module.strip_prefix("Elixir.");
        let ours: Vec<Documentation> = documentation()
            .filter(|doc| Some(doc.module) == alias && doc.arities.clone().any(|arity| topic.wants(doc.name, arity)))
            .collect();
        let is_ours =
            |name: &str, arity: usize| ours.iter().any(|doc| doc.name == name && doc.arities.contains(&arity));
        let mut theirs = match Atom::new(&topic.module) {
            Ok(module) => self.exports(&module).await,
            Err(_) => Vec::new(),
        };
        theirs.retain(|(name, arity)| topic.wants(name, *arity) && !is_ours(name, *arity));
        let told = match theirs.is_empty() {
            true => Told::default(),
            false => self.told(&topic.module).await,
        };
        let mut text = String::new();
        if topic.function.is_some() {
            ours.iter().for_each(|doc| text.push_str(&described(doc)));
            for (name, arity) in &theirs {
                text.push_str(&told.described(topic.shown, name, *arity));
            }
        } else {
            if let Some(about) = &told.about {
                text.push_str(&format!("{}\n\n{}\n\n", topic.shown, about.trim()));
            }
            let names: Vec<(String, usize)> =
                ours.iter().flat_map(|doc| doc.arities.clone().map(|arity| (doc.name.to_owned(), arity))).collect();
            if !names.is_empty() {
                text.push_str(&format!("{}: evaluated here, as Elixir's\n{}", topic.shown, columns(&names)));
            }
            if !theirs.is_empty() {
                text.push_str(&format!("{}: exported by {}\n{}", topic.shown, self.target(), columns(&theirs)));
            }
        }
        match text.is_empty() {
            true => format!("Nothing is known of {}: neither here nor on {}\n", topic.named(), self.target()),
            false => text,
        }
    }

    /// What the target says of a module, by `code:get_doc/1`. Many are without.
    async fn told(&self, module: &str) -> Told {
        let Ok(module) = Atom::new(module) else { return Told::default() };
        let answer = self.at(None, (atom("code"), atom("get_doc")), vec![module.into()], Some(QUICK)).await;
        answer.ok().and_then(|answer| Told::read(&answer)).unwrap_or_default()
    }
}

impl Topic<'_> {
    fn named(&self) -> String {
        match self.function {
            Some(function) if self.shown != "Kernel" => format!("{}.{function}", self.shown),
            Some(function) => function.to_owned(),
            None => self.shown.to_owned(),
        }
    }
}

/// A function of the prompt.
fn helper(name: &str) -> Option<String> {
    if let Some((name, arities, what)) = HELPERS.iter().find(|helper| helper.0 == name) {
        let arities: Vec<String> = arities.iter().map(|arity| format!("{name}/{arity}")).collect();
        return Some(format!("* {}\n\n{what}\n", arities.join(", ")));
    }
    let (.., why) = ABSENT.iter().find(|(names, ..)| names.contains(&name))?;
    Some(format!("There is no {name} at this prompt: {why}\n"))
}

/// A function of the language: its example is run.
fn described(doc: &Documentation) -> String {
    let prefix = if doc.module == "Kernel" { String::new() } else { format!("{}.", doc.module) };
    let mut text = format!("* {prefix}{}\n\n{}\n\n    iex> {}\n", doc.signature, doc.text, doc.example);
    let mut session = Session::new();
    if let Ok(mut evaluation) = session.start(doc.example) {
        loop {
            match evaluation.resume() {
                Event::Done(Ok(value)) => {
                    text.push_str(&format!("    {}\n", Inspect::new(&value.to_shown()).width(76)));
                    break;
                }
                Event::Output(printed) => {
                    text.push_str(&format!("    {}\n", String::from_utf8_lossy(&printed).trim_end()))
                }
                Event::Pause => {}
                _ => break,
            }
        }
    }
    text
}

/// What a node says of a module, as `docs_v1` of EEP 48 has it.
#[derive(Default)]
struct Told {
    about: Option<String>,
    /// Name, how many arguments, and what is said.
    functions: Vec<(String, usize, String)>,
}

impl Told {
    fn read(answer: &Term) -> Option<Told> {
        let [_, docs] = answer.as_tuple()? else { return None };
        let [tag, _, _, _, about, _, entries] = docs.as_tuple()? else { return None };
        if !tag.is_atom("docs_v1") {
            return None;
        }
        let entries = entries.as_list()?.to_vec();
        let functions = entries.iter().filter_map(|entry| {
            let [key, _, _, said, _] = entry.as_tuple()? else { return None };
            let [kind, Term::Atom(name), arity] = key.as_tuple()? else { return None };
            let arity = usize::try_from(arity.as_u64()?).ok()?;
            kind.is_atom("function").then_some((name.as_str().to_owned(), arity, said_in(said)?))
        });
        Some(Told { about: said_in(about), functions: functions.collect() })
    }

    fn described(&self, module: &str, name: &str, arity: usize) -> String {
        let head = format!("* {module}.{name}/{arity}\n");
        match self.functions.iter().find(|(known, of, _)| known == name && *of == arity) {
            Some((.., said)) => format!("{head}\n{}\n", said.trim()),
            None => head,
        }
    }
}

/// The text in English, or in whatever language there is.
fn said_in(texts: &Term) -> Option<String> {
    let map = texts.as_map()?;
    let text = map.get(&Term::from("en")).or_else(|| map.iter().next().map(|(_, text)| text))?;
    let mut said = String::new();
    write_plain(text, &mut said, 0);
    said.truncate(said.floor_char_boundary(LONGEST));
    Some(said)
}

/// Markdown as it is; of Erlang's HTML, which is nested tuples of tag, attributes and content, the text.
fn write_plain(text: &Term, out: &mut String, depth: usize) {
    if depth > 50 || out.len() > LONGEST {
        return;
    }
    match (text, text.as_tuple()) {
        (Term::List(list), _) => list.iter().for_each(|part| write_plain(&part, out, depth + 1)),
        (_, Some([tag, _, content])) => {
            write_plain(content, out, depth + 1);
            if ["p", "li", "pre", "h1", "h2", "h3", "dd", "dt"].iter().any(|name| tag.is_atom(name)) {
                out.push('\n');
            }
        }
        _ => out.push_str(text.as_str().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::term;

    #[test]
    fn topics_are_modules_and_functions() {
        let read = |text: &str| {
            let topic = Topic::read(text);
            (topic.module.clone(), topic.function.map(str::to_owned), topic.arity)
        };
        let function = |module: &str, name: &str, arity| (module.to_owned(), Some(name.to_owned()), arity);
        assert_eq!(read("Enum"), ("Elixir.Enum".to_owned(), None, None));
        assert_eq!(read("Enum.map/2"), function("Elixir.Enum", "map", Some(2)));
        assert_eq!(read("&App.Worker.run()"), function("Elixir.App.Worker", "run", None));
        assert_eq!(read(":lists.map"), function("lists", "map", None));
        assert_eq!(read(":lists"), ("lists".to_owned(), None, None));
        assert_eq!(read("hd"), function("Elixir.Kernel", "hd", None));
        assert_eq!(read("//2"), function("Elixir.Kernel", "/", Some(2)));
    }

    #[test]
    fn what_nodes_say_is_read_in_both_formats() {
        let docs = term!({:ok, {:docs_v1, 0, :erlang, "application/erlang+html", %{"en" => [{:p, [], ["About ", {:code, [], ["it"]}]}]}, %{}, [
            {{:function, :run, 1}, 0, ["run/1"], %{"en" => "Runs **it**."}, %{}},
            {{:function, :hidden, 0}, 0, [], :none, %{}},
            :nonsense
        ]}});
        let told = Told::read(&docs).expect("documentation");
        assert_eq!(told.about.as_deref(), Some("About it\n"));
        assert_eq!(told.described("m", "run", 1), "* m.run/1\n\nRuns **it**.\n");
        assert_eq!(told.described("m", "hidden", 0), "* m.hidden/0\n");
        assert!(Told::read(&term!({:error, :missing})).is_none());
    }
}
