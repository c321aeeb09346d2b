//! `appmon_info`: the server behind the Applications tab and Appmon, one for each who asks.
//!
//! It is told `{Client, Task, Aux, true | false, Options}` as a cast, does the task now and then every `timeout` milliseconds,
//! and sends `{delivery, self(), Task, Aux, Result}` whenever the result has changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use beamline_term::{Atom, Pid, Term, atom, term};
use tokio::time::Instant;

use super::super::{alive, process_info, statistics, with};
use super::{applications, tree};
use crate::functions::Module;
use crate::node::Inner;
use crate::process::{Code, Message, Mfa, Process, Tie};
use crate::request::{Request, cast_body};

/// How often a task is done if nothing is said, as OTP does it.
const USUAL: Duration = Duration::from_secs(2);
/// More often is not done, whatever is said.
const LEAST: Duration = Duration::from_millis(100);
/// So many tasks one server does.
const TASKS: usize = 64;

const CODE: Code = Code::Function(Mfa { module: "appmon_info", function: "init", arity: 1 });

pub(super) fn module(node: &Weak<Inner>) -> Module {
    Module::new("appmon_info").function(
        "start_link2",
        with!(node, |inner, _starter: Term, client: Pid, _options: Term| Ok((atom("ok"), start(&inner, client)))),
    )
}

fn start(node: &Arc<Inner>, client: Pid) -> Pid {
    let (pid, _) = node.spawn_process(&node.caller_cell, Tie::None, CODE, |me| run(me, client));
    pid
}

struct Task {
    client: Pid,
    kind: Atom,
    aux: Term,
    /// `None` for what is done once.
    every: Option<Duration>,
    due: Instant,
    told: Option<Term>,
}

async fn run(mut me: Process, client: Pid) {
    me.trap_exit(true);
    me.link(&client);
    let mut tasks: Vec<Task> = Vec::new();
    let began = statistics::load(&me.node);
    let mut load = Load { at: began, told: 0 };
    loop {
        let due = tasks.iter().map(|task| task.due).min();
        let message = match due {
            Some(due) => me.receive_within(due.saturating_duration_since(Instant::now())).await,
            None => match me.receive().await {
                Some(message) => Some(message),
                None => return,
            },
        };
        match message {
            Some(message) if message.as_exit().is_some() => return,
            Some(message) => arrived(&me, &mut tasks, &message),
            None => {}
        }
        let now = Instant::now();
        let (mut kept, mut sent) = (Vec::new(), true);
        for mut task in tasks {
            if task.due <= now {
                sent &= perform(&me, &mut task, &mut load).await;
                let Some(every) = task.every else { continue };
                task.due = now + every;
            }
            kept.push(task);
        }
        tasks = kept;
        if !sent {
            return;
        }
    }
}

fn arrived(me: &Process, tasks: &mut Vec<Task>, message: &Message) {
    let Ok(term) = message.term() else { return };
    if let Some([Term::Pid(client), Term::Atom(kind), aux, switch, options]) =
        cast_body(&term).and_then(|body| body.as_tuple())
    {
        tasks.retain(|task| (&task.client, &task.kind, &task.aux) != (client, kind, aux));
        if switch.is_atom("true") && tasks.len() < TASKS {
            let (client, kind, aux) = (client.clone(), kind.clone(), aux.clone());
            tasks.push(Task { client, kind, aux, every: every(options), due: Instant::now(), told: None });
        }
    } else if let Ok(request) = Request::from_term(term) {
        // `register_client` of a second one: it has a server of its own.
        me.reply(&request, atom("ok"));
    }
}

/// `[{timeout, Milliseconds | at_most_once}]`
fn every(options: &Term) -> Option<Duration> {
    let timeout = options.as_list().and_then(|options| {
        options.iter().find_map(|option| match option.as_tuple() {
            Some([name, value]) if name.is_atom("timeout") => Some(value.clone()),
            _ => None,
        })
    });
    match timeout {
        Some(value) if value.is_atom("at_most_once") => None,
        Some(value) => Some(value.as_u64().map_or(USUAL, Duration::from_millis).max(LEAST)),
        None => Some(USUAL),
    }
}

/// How busy the workers were when that was last asked.
struct Load {
    at: (Duration, Duration),
    told: u64,
}

impl Load {
    /// `{Old, New}` in percent.
    fn next(&mut self, node: &Inner) -> Term {
        let now = statistics::load(node);
        let (busy, total) = (now.0.saturating_sub(self.at.0), now.1.saturating_sub(self.at.1));
        let share = busy.as_secs_f64() / total.as_secs_f64().max(f64::EPSILON);
        let percent = (share * 100.0).clamp(0.0, 100.0) as u64;
        self.at = now;
        (std::mem::replace(&mut self.told, percent), percent).into()
    }
}

/// Does a task; false when nobody can be told.
async fn perform(me: &Process, task: &mut Task, load: &mut Load) -> bool {
    let node = &me.node;
    let result = match task.kind.as_str() {
        "app_ctrl" => {
            let (master, program) = (node.caller.clone(), applications::program());
            term!([{master, (applications::name()), program}])
        }
        "app" if task.aux == Term::from(applications::name()) => tree::of(node, me.pid()),
        "app" => term!({[], [], [], []}),
        "load" => load.next(node),
        "pinfo" => {
            let info = task.aux.as_pid().map(|pid| process_info::usual(node, pid));
            let info = info.and_then(Result::ok).unwrap_or_else(|| Term::atom("undefined"));
            Term::charlist(&format!("Node: {}, Process: {}\n{}\n\n", node.name, task.aux, info))
        }
        _ => Term::atom("undefined"),
    };
    if task.told.as_ref() == Some(&result) {
        return true;
    }
    let delivery = (atom("delivery"), me.pid().clone(), task.kind.clone(), task.aux.clone(), result.clone());
    task.told = Some(result);
    me.send(&task.client, &Term::from(delivery)).await.is_ok()
}
