//! When a node connects by itself: `dist_auto_connect` of OTP's `kernel`, by the rules of `net_kernel.erl`.

/// When a call, a message, a link or a monitor makes the connection that it needs. [`Node::connect`](crate::Node::connect)
/// connects in any case, and so do peers; whatever of that is under way is waited for. What finds no connection and makes
/// none fails with a [`Cause`](crate::Cause), or is told `noconnection`.
///
/// ```
/// use beamline_node::{AutoConnect, Node};
///
/// let builder = Node::builder("app_a@127.0.0.1").auto_connect(AutoConnect::Once);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutoConnect {
    /// Whenever there is none. As OTP without the setting.
    #[default]
    Always,
    /// Unless there was one already, which was lost or given up: then [`Cause::Barred`](crate::Cause::Barred), until the
    /// peer connects or [`Node::connect`](crate::Node::connect) is called, even without success. So nobody goes on with a
    /// peer that was away before somebody has decided how. As `-kernel dist_auto_connect once`.
    Once,
    /// Never: [`Cause::NotConnected`](crate::Cause::NotConnected). As `-kernel dist_auto_connect never`.
    Never,
}

/// True is [`AutoConnect::Always`], false is [`AutoConnect::Never`].
impl From<bool> for AutoConnect {
    fn from(auto: bool) -> AutoConnect {
        if auto { AutoConnect::Always } else { AutoConnect::Never }
    }
}
