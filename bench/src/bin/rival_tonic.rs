//! tonic: a unary method that gives back its argument, written as `tonic-build` would generate it, since protoc may be missing.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::process::ExitCode;
use std::task::{Context, Poll};

use beamline_bench::asynchronous::{self, Commands};
use beamline_bench::protocol::{Command, Error, say, say_result};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::{Body, BoxFuture, Service, StdError, http};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(int64, tag = "1")]
    value: i64,
}

struct Echo;

impl tonic::server::UnaryService<Number> for Echo {
    type Response = Number;
    type Future = Ready<Result<Response<Number>, Status>>;

    fn call(&mut self, request: Request<Number>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}

#[derive(Clone)]
struct Bench;

impl tonic::server::NamedService for Bench {
    const NAME: &'static str = "bench.Bench";
}

impl<B> Service<http::Request<B>> for Bench
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Number, Number>::default());
            Ok(grpc.unary(Echo, request).await)
        })
    }
}

fn main() -> ExitCode {
    asynchronous::main(serve, client)
}

async fn serve() -> Result<(String, ()), Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Server::builder().add_service(Bench);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener).map_nodelay()));
    Ok((format!("http://{address}"), ()))
}

/// TCP_NODELAY, which `serve` sets by itself, but not for a listener that is given.
trait NoDelay {
    fn map_nodelay(self) -> impl tonic::codegen::tokio_stream::Stream<Item = std::io::Result<tokio::net::TcpStream>>;
}

impl NoDelay for TcpListenerStream {
    fn map_nodelay(self) -> impl tonic::codegen::tokio_stream::Stream<Item = std::io::Result<tokio::net::TcpStream>> {
        use tonic::codegen::tokio_stream::StreamExt;
        self.map(|accepted| {
            let stream = accepted?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}

async fn client(address: String, mut commands: Commands) -> Result<(), Error> {
    let channel = Endpoint::from_shared(address)?.connect().await?;
    say("ready");
    while let Some(command) = commands.next().await {
        say_result(match command {
            Command::Calls { callers, limit, .. } => {
                let channel = channel.clone();
                asynchronous::calls(callers, limit, move || call(channel.clone())).await
            }
            Command::OneWay { .. } | Command::Connect { .. } => Err("tonic has no one-way messages or nodes".into()),
        });
    }
    Ok(())
}

async fn call(channel: Channel) -> Result<(), Error> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await?;
    let path = PathAndQuery::from_static("/bench.Bench/Echo");
    let request = Request::new(Number { value: 42 });
    let answer: Response<Number> = grpc.unary(request, path, ProstCodec::default()).await?;
    if answer.get_ref().value == 42 { Ok(()) } else { Err("another answer".into()) }
}
