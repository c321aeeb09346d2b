//! From a pod to the name of the node in it, as libcluster makes it.

use std::net::IpAddr;

use beamline_proto::NodeName;

use super::{Kubernetes, Mode, objects::Member};

/// Whether names can begin with this.
pub(super) fn is_basename(text: &str) -> bool {
    format!("{text}@h").parse::<NodeName>().is_ok()
}

/// The name of the node in this pod; `None` if there is none in this mode.
pub(super) fn name(config: &Kubernetes, member: &Member) -> Option<NodeName> {
    let Kubernetes { node_basename: base, cluster_name: cluster, .. } = config;
    let Member { address, hostname, namespace, .. } = member;
    let name = match config.mode {
        Mode::Ip => format!("{base}@{address}"),
        Mode::Hostname => {
            let hostname = hostname.as_deref()?;
            let service = config.service_name.as_deref()?;
            format!("{base}@{hostname}.{service}.{namespace}.svc.{cluster}.local")
        }
        Mode::Dns => format!("{base}@{}.{namespace}.pod.{cluster}.local", dashed(*address)),
    };
    name.parse().ok()
}

/// An address as a label of DNS.
fn dashed(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::kubernetes::objects::State;

    fn member(address: &str, hostname: Option<&str>) -> Member {
        Member {
            address: address.parse().unwrap(),
            hostname: hostname.map(str::to_owned),
            namespace: "ns".to_owned(),
            uid: String::new(),
            state: State::Ready,
        }
    }

    #[test]
    fn names_of_the_three_modes() {
        let mut config = Kubernetes::without_file();
        let mut of = |mode, member: &Member| {
            config.mode = mode;
            name(&config, member).map(|name| name.to_string())
        };
        let pod = member("10.0.0.7", Some("app-a-0"));
        assert_eq!(of(Mode::Ip, &pod).as_deref(), Some("cluster-app@10.0.0.7"));
        let hostname = "cluster-app@app-a-0.beam-cluster.ns.svc.cluster.local";
        assert_eq!(of(Mode::Hostname, &pod).as_deref(), Some(hostname));
        assert_eq!(of(Mode::Dns, &pod).as_deref(), Some("cluster-app@10-0-0-7.ns.pod.cluster.local"));
        let six = member("fd00::7", None);
        assert_eq!(of(Mode::Ip, &six).as_deref(), Some("cluster-app@fd00::7"));
        assert_eq!(of(Mode::Dns, &six).as_deref(), Some("cluster-app@fd00--7.ns.pod.cluster.local"));
        assert_eq!(of(Mode::Hostname, &six), None);
    }

    #[test]
    fn a_basename_is_the_part_before_the_at() {
        assert!(is_basename("cluster-app") && is_basename("a.b_c"));
        assert!(!is_basename("") && !is_basename("a@b") && !is_basename("a\0"));
    }
}
