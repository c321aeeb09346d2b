//! The group leader of what runs for us on other nodes: what it prints comes here, and what it wants to read is asked here.
//! The server's half of the Erlang I/O protocol, as `group` of kernel has it.

mod read;
mod request;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use beamline_node::{Message, Node, Process};
use beamline_proto::NodeName;
use beamline_term::{Pid, Term, atom};
use tokio::sync::oneshot;

use read::Reader;
pub(crate) use request::text;
use request::{Characters, Request, refused};

/// A line that is being asked for: its text, its end included, or none when there is no more. To drop it gives the question up.
pub type Reading = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// A terminal, or what stands for one.
pub trait Device: Send + Sync + 'static {
    /// Prints a text.
    fn print(&self, text: &str);

    /// Reads a line, after printing the prompt. Unless overwritten there is nothing to read.
    fn read_line(self: Arc<Self>, _prompt: String) -> Reading {
        Box::pin(std::future::ready(None))
    }

    /// Columns and rows, if it has any.
    fn size(&self) -> Option<(u16, u16)> {
        None
    }

    /// How long whoever has printed something is to wait before it goes on; no time unless it is overwritten.
    fn pressure(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether there is anybody to read from. Who wants to read from a device without is told `enotsup`.
    fn reads(&self) -> bool {
        true
    }
}

/// What is printed and not yet taken may take so much memory. Whoever prints waits for the answer, but nothing makes it.
const MAILBOX: usize = 32 << 20;

/// As what texts are read: as binaries, or as lists of characters.
#[derive(Debug, Clone)]
pub(crate) struct AsBinaries(Arc<AtomicBool>);

impl AsBinaries {
    pub(crate) fn new() -> AsBinaries {
        AsBinaries(Arc::new(AtomicBool::new(true)))
    }

    pub(crate) fn set(&self, is_set: bool) {
        self.0.store(is_set, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Starts a process that serves a device until `ended`, or until its node is gone.
pub(crate) fn serve(
    node: &Node,
    device: Arc<dyn Device>,
    as_binaries: AsBinaries,
    ended: oneshot::Receiver<()>,
) -> Pid {
    let printer = Printer { node: node.clone(), device: Arc::clone(&device) };
    let mut server = Server { printer, reader: Reader::new(node, device, as_binaries) };
    node.spawn(move |mut me| async move {
        me.set_mailbox_limit(MAILBOX);
        tokio::select! {
            () = server.run(&mut me) => {}
            _ = ended => {}
        }
        // With a reason of its own, so that what is linked to it because it works for us ends as well.
        match me.exit(atom("shutdown")).await {}
    })
}

/// Somebody's request, `{io_request, From, ReplyAs, Request}`.
struct Asked {
    from: Pid,
    reply_as: Term,
    request: Term,
}

impl Asked {
    fn read(message: &Message) -> Option<Asked> {
        if !message.is_tagged("io_request", 4) {
            return None;
        }
        match message.term().ok()?.as_tuple()? {
            [_, Term::Pid(from), reply_as, request] => {
                Some(Asked { from: from.clone(), reply_as: reply_as.clone(), request: request.clone() })
            }
            _ => None,
        }
    }

    async fn answer(&self, me: &Process, answer: Term) {
        let reply = Term::from((atom("io_reply"), self.reply_as.clone(), answer));
        // Who has gone waits no more.
        let _ = me.send(&self.from, &reply).await;
    }

    /// Whether it only prints, so that it need not wait for who reads.
    fn prints(&self) -> bool {
        matches!(Request::read(&self.request), Some(Request::Print { .. }))
    }
}

struct Server {
    printer: Printer,
    reader: Reader,
}

impl Server {
    async fn run(&mut self, me: &mut Process) {
        while let Some(message) = me.receive().await {
            if let Some(asked) = Asked::read(&message)
                && let Some(answer) = self.answer(me, &asked.from, &asked.request).await
            {
                asked.answer(me, answer).await;
            }
        }
    }

    /// The answer to a request; none if who asked has ended meanwhile.
    async fn answer(&mut self, me: &mut Process, from: &Pid, request: &Term) -> Option<Term> {
        let device = &self.printer.device;
        Some(match Request::read(request) {
            Some(Request::Print { characters, is_latin1 }) => self.printer.print(from, characters, is_latin1).await,
            Some(Request::Read { .. }) if !device.reads() => refused("enotsup"),
            Some(Request::Read { what, prompt, is_latin1 }) => {
                let Server { printer, reader } = self;
                let reading = reader.read(from, what, prompt, is_latin1);
                return while_printing(me, printer, from, reading).await;
            }
            Some(Request::Several(list)) => {
                let mut last = Term::atom("ok");
                for request in list {
                    last = Box::pin(self.answer(me, from, &request)).await?;
                    if last.as_tuple().and_then(<[Term]>::first).is_some_and(|tag| tag.is_atom("error")) {
                        break;
                    }
                }
                last
            }
            Some(Request::Columns) => device.size().map_or(refused("enotsup"), |size| i64::from(size.0).into()),
            Some(Request::Rows) => device.size().map_or(refused("enotsup"), |size| i64::from(size.1).into()),
            Some(Request::Options) => {
                let binary = Term::from((atom("binary"), self.reader.as_binaries.get()));
                Term::list([binary, (atom("encoding"), atom("unicode")).into()])
            }
            Some(Request::SetOptions { as_binaries }) => {
                as_binaries.into_iter().for_each(|is_set| self.reader.as_binaries.set(is_set));
                Term::atom("ok")
            }
            None => refused("request"),
        })
    }
}

/// Waits for somebody's answer, and prints for others meanwhile. None if who asked ends before: the question is given up then.
async fn while_printing(
    me: &mut Process,
    printer: &Printer,
    from: &Pid,
    reading: impl Future<Output = Term>,
) -> Option<Term> {
    let watch = me.monitor(from);
    let mut reading = pin!(reading);
    let answer = loop {
        let ends = |message: &Message| message.as_down().is_some_and(|down| down.reference == watch);
        let prints = |message: &Message| Asked::read(message).is_some_and(|asked| asked.prints());
        let message = tokio::select! {
            answer = &mut reading => break Some(answer),
            message = me.receive_matching(|message| ends(message) || prints(message)) => message?,
        };
        let Some(asked) = Asked::read(&message) else { break None };
        if let Some(Request::Print { characters, is_latin1 }) = Request::read(&asked.request) {
            let answer = printer.print(&asked.from, characters, is_latin1).await;
            asked.answer(me, answer).await;
        }
    };
    me.demonitor_flush(&watch).await;
    answer
}

struct Printer {
    node: Node,
    device: Arc<dyn Device>,
}

impl Printer {
    async fn print(&self, from: &Pid, characters: Characters, is_latin1: bool) -> Term {
        let characters = match characters {
            Characters::Told(characters) => Some(characters),
            Characters::Made { module, function, arguments } => {
                // What formats it is code of the node that asks.
                let Ok(node) = NodeName::from_atom(from.node()) else { return refused("put_chars") };
                self.node.call(&node, (module, function), arguments).await.ok()
            }
        };
        let Some(text) = characters.and_then(|characters| text(&characters, is_latin1)) else {
            return refused("put_chars");
        };
        self.device.print(&text);
        // The answer is late rather than the memory used up: whoever prints waits for it.
        let pressure = self.device.pressure();
        if !pressure.is_zero() {
            tokio::time::sleep(pressure).await;
        }
        Term::atom("ok")
    }
}
