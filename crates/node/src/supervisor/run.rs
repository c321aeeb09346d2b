//! The process of a supervisor.

use std::collections::VecDeque;
use std::sync::Arc;

use beamline_term::{Atom, Term, atom};
use tokio::sync::{mpsc, oneshot};

use super::children::{Children, Outcome};
use super::handle::{ChildInfo, ChildState, Command, SupervisorError, SupervisorHandle};
use super::{ChildSpec, Supervisor};
use crate::node::Inner;
use crate::process::{Cell, Code, Message, Mfa, Process, Tie};
use crate::request::Request;

/// As tools know a supervisor.
const CODE: Code = Code::Function(Mfa { module: "supervisor", function: "beamline", arity: 1 });

/// Starts a supervisor and waits for its children.
pub(super) async fn start(
    node: &Arc<Inner>,
    parent: &Arc<Cell>,
    tie: Tie,
    supervisor: Supervisor,
) -> Result<SupervisorHandle, SupervisorError> {
    let (commands, receiver) = mpsc::unbounded_channel();
    let (tell, told) = oneshot::channel();
    let (pid, _) = node.spawn_process(parent, tie, CODE, move |me| run(me, supervisor, receiver, tell));
    told.await.unwrap_or(Err(SupervisorError::Ended))?;
    Ok(SupervisorHandle { node: Arc::clone(node), pid, commands })
}

async fn run(
    mut me: Process,
    mut supervisor: Supervisor,
    mut commands: mpsc::UnboundedReceiver<Command>,
    begun: oneshot::Sender<Result<(), SupervisorError>>,
) {
    me.trap_exit(true);
    let specs: Vec<ChildSpec> = std::mem::take(&mut supervisor.children);
    let mut children = Children::new(&supervisor);
    for spec in specs {
        if let Err(error) = children.add(&me, spec).await {
            children.stop_all(&mut me).await;
            // Told first: what follows is the end of this process.
            let _ = begun.send(Err(error));
            me.exit(atom("shutdown")).await;
            return;
        }
    }
    let _ = begun.send(Ok(()));
    let mut again = VecDeque::new();
    loop {
        let outcome = tokio::select! {
            biased;
            message = me.receive() => match message {
                Some(message) => match message_arrived(&mut me, &mut children, message).await {
                    Ok(outcome) => outcome,
                    Err(reason) => return end(me, children, reason).await,
                },
                None => return,
            },
            Some(command) = commands.recv() => match command_arrived(&mut me, &mut children, command).await {
                Some(stopped) => {
                    children.stop_all(&mut me).await;
                    let _ = stopped.send(());
                    return end(me, children, Term::atom("shutdown")).await;
                }
                None => Outcome::Done,
            },
            // After what has arrived meanwhile, so that a child that never starts leaves room for being taken away.
            () = std::future::ready(()), if !again.is_empty() => match again.pop_front() {
                Some(id) => children.try_again(&mut me, id).await,
                None => Outcome::Done,
            },
        };
        match outcome {
            Outcome::Done => {}
            Outcome::TryAgain(id) => again.push_back(id),
            Outcome::GiveUp => return end(me, children, Term::atom("shutdown")).await,
        }
    }
}

async fn end(mut me: Process, mut children: Children, reason: Term) {
    children.stop_all(&mut me).await;
    me.exit(reason).await;
}

/// A message: the end of a child, or of the parent, or a request of `supervisor`'s own protocol. `Err` is the reason with
/// which the supervisor must end.
async fn message_arrived(me: &mut Process, children: &mut Children, message: Message) -> Result<Outcome, Term> {
    if let Some(exit) = message.as_exit() {
        if me.parent() == Some(&exit.from) {
            return Err(exit.reason);
        }
        return Ok(children.exited(me, &exit.from, &exit.reason).await.unwrap_or(Outcome::Done));
    }
    if let Ok(term) = message.term()
        && let Ok(request) = Request::from_term(term)
    {
        let answer = answer(me, children, &request.body).await;
        me.reply(&request, answer);
    }
    Ok(Outcome::Done)
}

/// Requests as `supervisor:which_children/1` and its kin of other nodes make them. Ids are strings, as binaries.
async fn answer(me: &mut Process, children: &mut Children, request: &Term) -> Term {
    let ok = || Term::atom("ok");
    let failed = |error: SupervisorError| -> Term { (atom("error"), reason(&error)).into() };
    match (request.as_atom().map(Atom::as_str), request.as_tuple()) {
        (Some("which_children"), _) => Term::list(children.info().iter().rev().map(info_term)),
        (Some("count_children"), _) => {
            let counts = children.counts();
            let pair = |name, count: usize| Term::from((atom(name), count as u64));
            Term::list([
                pair("specs", counts.specs),
                pair("active", counts.active),
                pair("supervisors", counts.supervisors),
                pair("workers", counts.workers),
            ])
        }
        (_, Some([command, id])) => {
            // Ids are texts here; what is none is nobody's.
            let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            let id = text.as_str();
            match command.as_atom().map_or("", Atom::as_str) {
                "terminate_child" => children.terminate(me, id).await.map_or_else(failed, |()| ok()),
                "delete_child" => children.delete(id).map_or_else(failed, |()| ok()),
                "restart_child" => match children.restart_by_hand(me, id).await {
                    Ok(pid) => (atom("ok"), pid).into(),
                    Err(error) => failed(error),
                },
                // `start_child` too: a child is code, and code does not come from elsewhere.
                _ => (atom("error"), atom("notsup")).into(),
            }
        }
        _ => (atom("error"), atom("notsup")).into(),
    }
}

fn reason(error: &SupervisorError) -> Term {
    match error {
        SupervisorError::NotFound { .. } => Term::atom("not_found"),
        SupervisorError::Running { .. } => Term::atom("running"),
        SupervisorError::Restarting { .. } => Term::atom("restarting"),
        SupervisorError::NotStarted { reason, .. } => reason.clone(),
        other => other.to_string().into(),
    }
}

/// `{Id, Pid | undefined | restarting, worker | supervisor, Modules}`
fn info_term(child: &ChildInfo) -> Term {
    let place: Term = match (&child.pid, child.state) {
        (Some(pid), _) => pid.clone().into(),
        (None, ChildState::Restarting) => Term::atom("restarting"),
        (None, _) => Term::atom("undefined"),
    };
    let kind = atom(if child.is_supervisor { "supervisor" } else { "worker" });
    (child.id.clone(), place, kind, Term::nil()).into()
}

async fn command_arrived(me: &mut Process, children: &mut Children, command: Command) -> Option<oneshot::Sender<()>> {
    // Who asked may have given up; what was done stays done.
    match command {
        Command::Start(spec, tell) => drop(tell.send(children.add(me, spec).await)),
        Command::Restart(id, tell) => drop(tell.send(children.restart_by_hand(me, &id).await)),
        Command::Terminate(id, tell) => drop(tell.send(children.terminate(me, &id).await)),
        Command::Delete(id, tell) => drop(tell.send(children.delete(&id))),
        Command::Which(tell) => drop(tell.send(children.info())),
        Command::Count(tell) => drop(tell.send(children.counts())),
        Command::Stop(stopped) => return Some(stopped),
    }
    None
}
