//! What the notebook service of the compose file and of the Kubernetes folders runs until there is a notebook: a page
//! that says so. It is no node of the cluster, as the article's notebook is none before it is told whom to attach to.
//!
//! ```sh
//! PORT=8080 notebook
//! curl http://localhost:8080/
//! ```

use std::net::Ipv4Addr;

use axum::Router;
use axum::http::{StatusCode, header};
use tokio::net::TcpListener;
use tracing::info;

const TEXT: &str = "\
There is no notebook in this version of Beamline. Until there is one, ask the nodes by

  beamline rpc app-a1@app-a1.docker 'AppA.hello()' --cookie secret --peer-port 9000

or attach a Livebook of your own: it is welcome in the cluster.
";

#[tokio::main]
async fn main() -> beamline::Result<()> {
    article::log("info");
    let port = article::port(8080)?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
    info!("page on http://localhost:{}/", listener.local_addr()?.port());
    let page = async || (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], TEXT);
    let serve = axum::serve(listener, Router::new().fallback(page));
    tokio::select! {
        served = serve.into_future() => served?,
        stopped = article::told_to_stop() => stopped?,
    }
    Ok(())
}
