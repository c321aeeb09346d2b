//! What a node is: its kind, versions and limits, which do not change while it runs.

use std::time::Duration;

use beamline_proto::NodeName;
use beamline_term::{Creation, Origin, Term};
use serde::Serialize;
use tokio::time::Instant;

use super::ask::{Ask, optional};
use super::read::{Props, text};
use super::trouble::Trouble;

/// What a node's programs are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Rust,
    Elixir,
    Erlang,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Rust => "Rust",
            Kind::Elixir => "Elixir",
            Kind::Erlang => "Erlang",
        }
    }
}

/// What a node is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Identity {
    pub(crate) kind: Kind,
    /// Of Beamline, Elixir or OTP, with its name: `Elixir 1.14.0`.
    pub(crate) version: String,
    /// The release of OTP, for BEAM nodes.
    pub(crate) otp: Option<String>,
    /// Of the runtime itself.
    pub(crate) erts: Option<String>,
    pub(crate) architecture: Option<String>,
    /// Tells this run of the node from others.
    pub(crate) creation: u32,
    /// Schedulers, or worker threads, that are online.
    pub(crate) schedulers: u64,
    /// Whether `observer_backend` is there, which most pages need.
    pub(crate) has_observer: bool,
    /// When it was started, as far as it tells.
    #[serde(skip)]
    pub(crate) started: Option<Instant>,
}

impl Identity {
    /// Asks the node.
    pub(crate) async fn read(ask: &Ask<'_>) -> Result<Identity, Trouble> {
        let (machine, otp, version, architecture, creation, schedulers, elixir, observer, uptime) = tokio::join!(
            ask.system_info("machine"),
            ask.system_info("otp_release"),
            ask.system_info("version"),
            ask.system_info("system_architecture"),
            ask.system_info("creation"),
            ask.system_info("schedulers_online"),
            ask.call("Elixir.System", "version", ()),
            ask.call("code", "ensure_loaded", (beamline_term::atom("observer_backend"),)),
            uptime(ask),
        );
        let machine = text(&machine?);
        let said = |answer: Result<Term, Trouble>| optional(answer).map(|term| term.as_ref().map(text));
        let (otp, version, elixir) = (said(otp)?, said(version)?, said(elixir)?);
        let kind = match (machine.as_str(), &elixir) {
            ("BEAMLINE", _) => Kind::Rust,
            (_, Some(_)) => Kind::Elixir,
            (_, None) => Kind::Erlang,
        };
        let number = |answer: Result<Term, Trouble>| optional(answer).map(|term| term.and_then(|term| term.as_u64()));
        let observer = optional(observer)?;
        let has_observer = observer.as_ref().and_then(Term::as_tuple).is_some_and(|pair| pair[0].is_atom("module"));
        let unknown = || "?".to_owned();
        Ok(Identity {
            kind,
            version: match kind {
                Kind::Rust => format!("Beamline {}", version.clone().unwrap_or_else(unknown)),
                Kind::Elixir => format!("Elixir {}", elixir.unwrap_or_else(unknown)),
                Kind::Erlang => format!("OTP {}", otp.clone().unwrap_or_else(unknown)),
            },
            otp: otp.filter(|_| kind != Kind::Rust),
            erts: version.filter(|_| kind != Kind::Rust),
            architecture: said(architecture)?,
            creation: number(creation)?.and_then(|creation| u32::try_from(creation).ok()).unwrap_or_default(),
            schedulers: number(schedulers)?.unwrap_or(1).max(1),
            has_observer,
            started: uptime?.and_then(|uptime| Instant::now().checked_sub(uptime)),
        })
    }

    /// How long the node has run.
    pub(crate) fn uptime(&self) -> Option<Duration> {
        Some(self.started?.elapsed())
    }

    /// What its own pids carry.
    pub(crate) fn origin(&self, node: &NodeName) -> Origin {
        Origin::new(node.to_atom(), Creation::new(self.creation))
    }

    /// How to get what only `observer_backend` tells.
    pub(crate) fn without_observer(&self) -> Option<&'static str> {
        match (self.has_observer, self.kind) {
            (true, _) => None,
            (false, Kind::Rust) => Some(NOT_SWITCHED_ON),
            (false, _) => Some(NO_RUNTIME_TOOLS),
        }
    }
}

const NOT_SWITCHED_ON: &str = "This node does not tell tools about its processes: switch `observer_backend` on where the \
                               program starts its node.";

const NO_RUNTIME_TOOLS: &str = "This node lacks Erlang's application runtime_tools, so that some figures are missing: add \
                                :runtime_tools to extra_applications in mix.exs, or to the release.";

/// Since when it runs: by the clocks of the node, which are asked without changing anything.
async fn uptime(ask: &Ask<'_>) -> Result<Option<Duration>, Trouble> {
    let unit = beamline_term::atom("millisecond");
    let (now, start, wall) = tokio::join!(
        ask.call("erlang", "monotonic_time", (unit.clone(),)),
        async {
            let start = ask.system_info("start_time").await?;
            ask.call("erlang", "convert_time_unit", (start, beamline_term::atom("native"), unit.clone())).await
        },
        async {
            // Where a node has no such clocks, Beamline's own way of telling it.
            let info = ask.call("observer_backend", "sys_info", ()).await?;
            Ok(Props::of(&info).and_then(|info| info.number("uptime")))
        }
    );
    if let (Some(now), Some(start)) = (optional(now)?, optional(start)?) {
        let since = now.as_i64().zip(start.as_i64()).map(|(now, start)| now.saturating_sub(start));
        return Ok(since.and_then(|since| u64::try_from(since).ok()).map(Duration::from_millis));
    }
    Ok(optional(wall)?.flatten().map(Duration::from_millis))
}
