//! Starting, stopping, killing and pausing the nodes of a cluster under test.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use beamline_cluster::{Cluster, LocalEpmd, Topologies, Topology};
use beamline_node::{Epmd, Node};
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::cluster::LocalCluster;
use super::error::Error;
use super::member::{Body, Life, Member, Recipe};
use super::program::Seat;
use super::started::{Start, Started};
use super::wait::PAUSE;
use super::which::Which;

/// How often a node of this process looks for others.
const POLLING: Duration = Duration::from_millis(200);

/// How long what a program wrote may take to be read once it has ended. One that it started may hold the pipe for longer.
pub(super) const FLUSH: Duration = Duration::from_millis(500);

/// How long one try of a node that starts may take.
const TRY: Duration = Duration::from_secs(1);

impl LocalCluster {
    pub(super) async fn start_all(&self) -> Result<(), Error> {
        for member in &self.members {
            self.begin(member).await?;
        }
        for member in &self.members {
            self.ready(member).await?;
        }
        Ok(())
    }

    /// Starts a node again that was stopped or killed, or has ended by itself, under its name, and waits until it answers.
    ///
    /// # Errors
    /// It runs, or does not start.
    pub async fn start_again(&self, which: impl Into<Which>) -> Result<(), Error> {
        let member = self.member(which)?;
        if member.life().is_some() && member.ended().is_none() {
            return Err(self.trouble(Error::Running(member.name.clone())));
        }
        self.network.cut_off(member.place, false);
        self.gone(member).await;
        self.begin(member).await?;
        self.ready(member).await
    }

    /// Stops a node as it should be: a program by SIGTERM, after which it must end well; a node of this process by
    /// [`Node::stop`]. One that is paused is resumed.
    ///
    /// # Errors
    /// It does not run; or the program ends with an error, or not within the [patience](super::Builder::patience).
    pub async fn stop(&self, which: impl Into<Which>) -> Result<(), Error> {
        let member = self.member(which)?;
        let life = self.take(member)?;
        self.network.hold(member.place, false);
        let stopped = match life.body {
            Body::Program(mut program) => {
                let signalled = program.signal(Signal::TERM);
                let resumed = if life.paused { program.signal(Signal::CONT) } else { Ok(()) };
                let ended = self.until(self.patience, || program.ended()).await;
                match (ended, signalled.and(resumed)) {
                    (Some(status), Ok(())) if status.success() => Ok(()),
                    (Some(status), _) => Err(self.ended(member, status).await),
                    (None, Err(source)) => Err(Error::Signal { node: member.name.clone(), source }),
                    (None, Ok(())) => Err(Error::StillRuns {
                        node: member.name.clone(),
                        after: self.patience,
                        output: member.output.text(),
                    }),
                }
            }
            Body::Node(started, cluster) => {
                drop(cluster);
                end(started).await;
                Ok(())
            }
        };
        self.gone(member).await;
        stopped.map_err(|error| self.trouble(error))
    }

    /// Ends a node without a goodbye: a program by SIGKILL; of a node in this process all connections are cut before
    /// it is stopped.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&self, which: impl Into<Which>) -> Result<(), Error> {
        let member = self.member(which)?;
        let life = self.take(member)?;
        self.network.hold(member.place, false);
        match life.body {
            Body::Program(mut program) => program.kill(),
            Body::Node(started, cluster) => {
                self.network.cut_off(member.place, true);
                drop(cluster);
                end(started).await;
            }
        }
        self.gone(member).await;
        Ok(())
    }

    /// Lets a node do nothing more until it is resumed: a program by SIGSTOP; a node in this process runs on, but nothing
    /// passes to and from it. Others notice by its silence, after their `net_ticktime`, which is 60 s unless they were
    /// given another.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self, which: impl Into<Which>) -> Result<(), Error> {
        self.set_paused(self.member(which)?, true)
    }

    /// Lets a node go on that was paused.
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&self, which: impl Into<Which>) -> Result<(), Error> {
        self.set_paused(self.member(which)?, false)
    }

    fn set_paused(&self, member: &Member, paused: bool) -> Result<(), Error> {
        let mut life = member.life();
        let Some(life) = life.as_mut() else { return Err(self.trouble(Error::NotRunning(member.name.clone()))) };
        match &mut life.body {
            Body::Program(program) => {
                let signal = if paused { Signal::STOP } else { Signal::CONT };
                let failed = |source: io::Error| self.trouble(Error::Signal { node: member.name.clone(), source });
                program.signal(signal).map_err(failed)?;
            }
            Body::Node(..) => self.network.hold(member.place, paused),
        }
        life.paused = paused;
        Ok(())
    }

    async fn begin(&self, member: &Member) -> Result<(), Error> {
        let body = match &member.recipe {
            Recipe::Program(program) => program.run(&self.seat(member)).map(Body::Program),
            Recipe::Node(start) => self.begin_node(member, start).await,
        };
        let body = body.map_err(|error| self.trouble(error))?;
        *member.life() = Some(Life { body, paused: false });
        Ok(())
    }

    async fn begin_node(&self, member: &Member, start: &Start) -> Result<Body, Error> {
        let epmd_port = self.network.epmd_port(member.place);
        let builder = Node::builder(member.name.as_str()).cookie(self.cookie.as_str());
        let builder = builder.epmd(Epmd::External(([127, 0, 0, 1], epmd_port).into()));
        let failed = |source| Error::Start { node: member.name.clone(), source };
        let started = start.run(builder).await.map_err(failed)?;
        if !self.discovery {
            return Ok(Body::Node(started, None));
        }
        let mut strategy = LocalEpmd::default();
        strategy.port = Some(epmd_port);
        strategy.polling_interval = POLLING;
        let cluster = Cluster::of(&started.node, Topologies::new()).topology(Topology::new("testing", strategy));
        let cluster = cluster.start().await.map_err(|error| failed(error.into()))?;
        Ok(Body::Node(started, Some(cluster)))
    }

    fn seat(&self, member: &Member) -> Seat {
        Seat {
            name: member.name.clone(),
            number: member.number,
            cookie: self.cookie.clone(),
            epmd_port: self.network.epmd_port(member.place),
            discovery: self.discovery,
            output: member.output.clone(),
        }
    }

    /// Waits until it answers.
    async fn ready(&self, member: &Member) -> Result<(), Error> {
        let end = Instant::now() + self.patience;
        loop {
            if let Some(status) = member.ended() {
                let error = self.ended(member, status).await;
                return Err(self.trouble(error));
            }
            let last = if self.network.is_registered(member.place) {
                let alive = self.outside.call::<bool>(&member.name, ("erlang", "is_alive"), ()).timeout(TRY).await;
                match alive {
                    Ok(_) => return Ok(()),
                    Err(error) => error.to_string(),
                }
            } else {
                "it is not registered with its epmd".to_owned()
            };
            if Instant::now() >= end {
                let what = format!("{} answers", member.name);
                return Err(self.trouble(Error::Deadline { what, after: self.patience, last }));
            }
            sleep(PAUSE).await;
        }
    }

    async fn ended(&self, member: &Member, status: ExitStatus) -> Error {
        self.until(FLUSH, || member.output.is_whole().then_some(())).await;
        Error::Ended { node: member.name.clone(), status, output: member.output.text() }
    }

    fn take(&self, member: &Member) -> Result<Life, Error> {
        let life = member.life().take();
        life.ok_or_else(|| self.trouble(Error::NotRunning(member.name.clone())))
    }

    /// Waits until its name is free again. A registration ends with its node, so this takes a moment only.
    async fn gone(&self, member: &Member) {
        self.until(self.patience, || (!self.network.is_registered(member.place)).then_some(())).await;
    }

    async fn until<T>(&self, limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        loop {
            match look() {
                None if Instant::now() < end => sleep(PAUSE).await,
                found => return found,
            }
        }
    }
}

/// Stops a node of this process, and what was kept with it.
async fn end(started: Started) {
    let Started { node, kept } = started;
    node.stop().await;
    drop(kept);
}
