//! For tests of what is logged: a subscriber that listens to one target.

use std::fmt::{self, Display};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber, with_default};
use tracing::{Event, Metadata};

/// Notes the level and the text of each event.
pub(super) struct Listening {
    target: &'static str,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listening {
    /// What is heard while this runs.
    pub(super) fn to(target: &'static str, run: impl FnOnce()) -> Vec<String> {
        let heard = Arc::new(Mutex::default());
        with_default(Listening { target, heard: Arc::clone(&heard) }, run);
        std::mem::take(&mut *heard.lock().unwrap())
    }
}

impl Subscriber for Listening {
    // Tests run beside each other, and listen to other targets.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == self.target
    }

    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.heard.lock().unwrap().push(format!("{} {}", event.metadata().level(), text.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Must not be written.
pub(super) struct Unwanted;

impl Display for Unwanted {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("nobody has asked for it")
    }
}
