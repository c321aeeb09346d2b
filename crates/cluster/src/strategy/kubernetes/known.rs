//! What the API has listed, changed by what it then tells.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use beamline_proto::NodeName;

use super::{
    Kubernetes, KubernetesError, Lookup, Mode, names,
    objects::{Member, Object, State},
};

/// The members of each object, by the object's name: all are of one namespace.
#[derive(Debug)]
pub(super) struct Known {
    config: Kubernetes,
    own: NodeName,
    /// Whether our own name has an IPv6 address.
    six: bool,
    objects: HashMap<String, Vec<Member>>,
    /// The pods that have been ready, as far as they still run.
    met: HashSet<String>,
    /// Our own pod has been deleted, and no other is in its place.
    dismissed: bool,
}

impl Known {
    pub(super) fn new(config: Kubernetes, own: NodeName) -> Self {
        let six = own.host().parse().is_ok_and(|address: IpAddr| address.is_ipv6());
        Self { config, own, six, objects: HashMap::new(), met: HashSet::new(), dismissed: false }
    }

    /// A full list.
    pub(super) fn list(&mut self, objects: &[Object]) {
        self.objects.clear();
        objects.iter().for_each(|object| self.changed(object));
    }

    /// An object that is new or has changed.
    pub(super) fn changed(&mut self, object: &Object) {
        self.objects.insert(object.metadata.name.clone(), object.members(self.config.ip_lookup_mode));
    }

    /// An object that is gone.
    pub(super) fn gone(&mut self, object: &Object) {
        self.objects.remove(&object.metadata.name);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Who should be here: who is ready, and who was and still runs. A cluster must not fall apart because all become unready,
    /// for want of a database, say. Nobody, if our own pod is deleted: the others let us go, and are not to be dialed again.
    ///
    /// # Errors
    /// There are some, and none has a name.
    pub(super) fn names(&mut self) -> Result<BTreeSet<NodeName>, KubernetesError> {
        let (leaving, running): (Vec<_>, Vec<_>) =
            self.objects.values().flatten().partition(|member| member.state == State::Leaving);
        let is_own = |member: &&Member| names::name(&self.config, member).as_ref() == Some(&self.own);
        self.dismissed = !running.iter().any(is_own) && (self.dismissed || leaving.iter().any(is_own));
        if self.dismissed {
            return Ok(BTreeSet::new());
        }
        let met = |member: &&Member| member.state == State::Ready || self.met.contains(&member.uid);
        let members: Vec<_> = running.into_iter().filter(met).collect();
        // Addresses that are no pods have no uid.
        self.met = members.iter().map(|member| member.uid.clone()).filter(|uid| !uid.is_empty()).collect();
        let fits = |member: &Member| member.address.is_ipv6() == self.six;
        // A pod of two families is in a slice of each; it has one name.
        let of_family = self.config.ip_lookup_mode == Lookup::EndpointSlices && members.iter().any(|one| fits(one));
        let counted = members.iter().filter(|member| !of_family || fits(member));
        let names: BTreeSet<_> = counted.filter_map(|member| names::name(&self.config, member)).collect();
        if names.is_empty() && !members.is_empty() && self.config.mode == Mode::Hostname {
            return Err(KubernetesError::NoHostname { count: members.len() });
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice(name: &str, kind: &str, addresses: &[&str]) -> Object {
        let endpoints: Vec<_> = addresses.iter().map(|address| json!({"addresses": [address]})).collect();
        serde_json::from_value(json!({"metadata": {"name": name}, "addressType": kind, "endpoints": endpoints}))
            .unwrap()
    }

    fn pod(name: &str, ready: &str, deleted: Option<&str>) -> Object {
        let address = format!("10.0.0.{}", name.trim_start_matches('p'));
        let status = json!({"phase": "Running", "podIP": address, "conditions": [{"type": "Ready", "status": ready}]});
        let metadata = json!({"name": name, "uid": format!("uid of {name}"), "deletionTimestamp": deleted});
        serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap()
    }

    fn known(own: &str) -> Known {
        let mut config = Kubernetes::new("app", "");
        config.ip_lookup_mode = Lookup::EndpointSlices;
        Known::new(config, own.parse().unwrap())
    }

    fn names(known: &mut Known) -> Vec<String> {
        known.names().unwrap().iter().map(NodeName::to_string).collect()
    }

    #[test]
    fn objects_come_change_and_go() {
        let mut known = known("app@10.0.0.9");
        known.list(&[slice("a", "IPv4", &["10.0.0.1", "10.0.0.2"]), slice("b", "IPv4", &["10.0.0.2"])]);
        assert_eq!(names(&mut known), ["app@10.0.0.1", "app@10.0.0.2"]);
        known.changed(&slice("a", "IPv4", &[]));
        assert_eq!(names(&mut known), ["app@10.0.0.2"]);
        known.gone(&slice("b", "IPv4", &[]));
        known.gone(&slice("never", "IPv4", &[]));
        assert_eq!(names(&mut known), [""; 0]);
        known.list(&[slice("c", "IPv4", &["10.0.0.3"])]);
        assert_eq!(names(&mut known), ["app@10.0.0.3"]);
    }

    #[test]
    fn of_two_families_our_own_counts() {
        let both = [slice("a", "IPv4", &["10.0.0.1"]), slice("b", "IPv6", &["fd00::1"])];
        for (own, expected) in
            [("app@10.0.0.9", "app@10.0.0.1"), ("app@fd00::9", "app@fd00::1"), ("app@host", "app@10.0.0.1")]
        {
            let mut known = known(own);
            known.list(&both);
            assert_eq!(names(&mut known), [expected]);
        }
        let mut known = known("app@host");
        known.list(&[slice("a", "IPv4", &[]), slice("b", "IPv6", &["fd00::1"])]);
        assert_eq!(names(&mut known), ["app@fd00::1"]);
    }

    #[test]
    fn who_is_deleted_wants_nobody_any_more() {
        let mut known = known("app@10.0.0.1");
        known.config.ip_lookup_mode = Lookup::Pods;
        known.list(&[pod("p1", "True", None), pod("p2", "True", None), pod("p3", "True", Some("now"))]);
        assert_eq!(names(&mut known), ["app@10.0.0.1", "app@10.0.0.2"]);
        known.changed(&pod("p1", "True", Some("now")));
        assert_eq!(names(&mut known), [""; 0]);
        known.gone(&pod("p1", "True", None));
        assert_eq!(names(&mut known), [""; 0]);
        // Another in its place, as a StatefulSet makes it.
        let mut other = pod("p1", "False", None);
        other.metadata.uid = "other".to_owned();
        known.changed(&other);
        assert_eq!(names(&mut known), ["app@10.0.0.2"]);
    }

    #[test]
    fn who_was_ready_stays_while_it_runs() {
        let mut known = known("app@10.0.0.9");
        known.config.ip_lookup_mode = Lookup::Pods;
        known.list(&[pod("p1", "True", None), pod("p2", "False", None)]);
        assert_eq!(names(&mut known), ["app@10.0.0.1"]);
        known.list(&[pod("p1", "False", None), pod("p2", "False", None)]);
        assert_eq!(names(&mut known), ["app@10.0.0.1"]);
        // Another pod of the same name has not been ready yet.
        let mut other = pod("p1", "False", None);
        other.metadata.uid = "other".to_owned();
        known.changed(&other);
        assert_eq!(names(&mut known), [""; 0]);
        known.changed(&pod("p2", "True", None));
        assert_eq!(names(&mut known), ["app@10.0.0.2"]);
        known.changed(&pod("p2", "False", Some("now")));
        assert_eq!(names(&mut known), [""; 0]);
    }

    #[test]
    fn pods_without_hostnames_are_told_of() {
        let mut known = known("app@host");
        known.config.mode = Mode::Hostname;
        known.config.service_name = Some("beam".to_owned());
        known.list(&[slice("a", "IPv4", &["10.0.0.1", "10.0.0.2"])]);
        assert!(matches!(known.names(), Err(KubernetesError::NoHostname { count: 2 })));
        known.list(&[slice("a", "IPv4", &[])]);
        assert!(known.names().unwrap().is_empty() && !known.is_empty());
    }
}
