//! The files beside the pages: they are in the program, and their addresses carry a digest, so that a browser keeps them for
//! good and still never shows an old one.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Site;

/// A file.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name, with the ending that tells its kind.
    name: &'static str,
    text: &'static str,
}

/// The styles of all pages.
pub(crate) static STYLE: Asset = Asset { name: "site.css", text: include_str!("../../assets/site.css") };
/// What keeps an open page up to date.
pub(crate) static LIVE: Asset = Asset { name: "live.js", text: include_str!("../../assets/live.js") };
/// The picture in the browser's tab.
pub(crate) static ICON: Asset = Asset { name: "icon.svg", text: include_str!("../../assets/icon.svg") };

/// The styles of notebooks.
pub(crate) static NOTEBOOK_STYLE: Asset =
    Asset { name: "notebook.css", text: include_str!("../../assets/notebook.css") };
/// Keys, typing and running without leaving the page.
pub(crate) static NOTEBOOK: Asset = Asset { name: "notebook.js", text: include_str!("../../assets/notebook.js") };

/// All there are.
static ALL: [&Asset; 5] = [&STYLE, &LIVE, &ICON, &NOTEBOOK_STYLE, &NOTEBOOK];

static DIGESTS: LazyLock<Vec<String>> =
    LazyLock::new(|| ALL.iter().map(|asset| HEXLOWER.encode(&Sha256::digest(asset.text)[..8])).collect());

impl Asset {
    /// Its address within the site, for [`Site::path`].
    pub(crate) fn path(&self) -> String {
        let place = ALL.iter().position(|asset| asset.name == self.name);
        let digest = place.and_then(|place| DIGESTS.get(place)).map_or("", String::as_str);
        format!("/assets/{digest}/{}", self.name)
    }

    pub(super) fn is_style(&self) -> bool {
        self.name.ends_with(".css")
    }

    fn kind(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        }
    }
}

pub(super) fn routes(router: Router<Site>) -> Router<Site> {
    router.route("/assets/{digest}/{name}", get(serve))
}

async fn serve(Path((digest, name)): Path<(String, String)>) -> Response {
    let asset = ALL.iter().zip(&*DIGESTS).find(|(asset, known)| asset.name == name && **known == digest);
    let Some((asset, _)) = asset else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [(CONTENT_TYPE, asset.kind()), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}
