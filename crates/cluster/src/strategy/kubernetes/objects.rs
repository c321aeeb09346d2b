//! Pods, endpoints and endpoint slices, as far as discovery reads them.
//!
//! The fields are those of `v1` of pods and endpoints and of `v1` and `v1beta1` of `discovery.k8s.io`, which agree here. The API
//! writes empty lists as `null` or leaves them out; what else is not as expected makes an object nobody's, not an error.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer};

use super::Lookup;

/// A pod that runs and has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) address: IpAddr,
    pub(super) hostname: Option<String>,
    pub(super) namespace: String,
    /// Tells it from another of the same name.
    pub(super) uid: String,
    pub(super) state: State,
}

/// How it is with a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    Unready,
    /// It is being deleted.
    Leaving,
}

/// A list of objects.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) metadata: Metadata,
    #[serde(default, deserialize_with = "or_none")]
    pub(super) items: Vec<Object>,
}

/// Any of the three kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) metadata: Metadata,
    #[serde(deserialize_with = "or_none")]
    spec: Spec,
    #[serde(deserialize_with = "or_none")]
    status: Status,
    #[serde(deserialize_with = "or_none")]
    subsets: Vec<Subset>,
    address_type: String,
    #[serde(deserialize_with = "or_none")]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    namespace: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    deletion_timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    hostname: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    #[serde(deserialize_with = "or_none")]
    conditions: Vec<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subset {
    #[serde(deserialize_with = "or_none")]
    addresses: Vec<Address>,
    #[serde(deserialize_with = "or_none")]
    not_ready_addresses: Vec<Address>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Address {
    ip: String,
    hostname: Option<String>,
    #[serde(deserialize_with = "or_none")]
    target_ref: Reference,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    namespace: Option<String>,
    uid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Endpoint {
    #[serde(deserialize_with = "or_none")]
    addresses: Vec<String>,
    #[serde(deserialize_with = "or_none")]
    conditions: Conditions,
    hostname: Option<String>,
    #[serde(deserialize_with = "or_none")]
    target_ref: Reference,
}

/// What is not said is as good as ready and not terminating.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Conditions {
    ready: Option<bool>,
    terminating: Option<bool>,
}

fn or_none<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn filled(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

impl Object {
    /// Those of it who run.
    pub(super) fn members(&self, lookup: Lookup) -> Vec<Member> {
        match lookup {
            Lookup::Pods => self.pod().into_iter().collect(),
            Lookup::Endpoints => {
                let of = |state, addresses: &[Address]| -> Vec<_> {
                    let member =
                        |one: &Address| self.member(&one.ip, one.hostname.as_ref(), Some(&one.target_ref), state);
                    addresses.iter().filter_map(member).collect()
                };
                let both = |subset: &Subset| {
                    [of(State::Ready, &subset.addresses), of(State::Unready, &subset.not_ready_addresses)].concat()
                };
                self.subsets.iter().flat_map(both).collect()
            }
            Lookup::EndpointSlices => self.endpoints.iter().filter_map(|endpoint| self.endpoint(endpoint)).collect(),
        }
    }

    fn pod(&self) -> Option<Member> {
        let ready = |condition: &Condition| condition.kind == "Ready" && condition.status == "True";
        let state = if self.metadata.deletion_timestamp.is_some() {
            State::Leaving
        } else if self.status.conditions.iter().any(ready) {
            State::Ready
        } else {
            State::Unready
        };
        // A pod that has ended keeps its address.
        let address = self.status.pod_ip.as_ref().filter(|_| self.status.phase == "Running")?;
        self.member(address, self.spec.hostname.as_ref(), None, state)
    }

    fn endpoint(&self, endpoint: &Endpoint) -> Option<Member> {
        // A service that says nothing of who is not ready calls them ready as well; it says who leaves.
        let state = match endpoint.conditions {
            Conditions { terminating: Some(true), .. } => State::Leaving,
            Conditions { ready: Some(false), .. } => State::Unready,
            Conditions { .. } => State::Ready,
        };
        // All are of the same pod, and consumers take the first. Names are no addresses: such slices are of services
        // outside the cluster.
        let address = endpoint.addresses.first().filter(|_| self.address_type != "FQDN")?;
        self.member(address, endpoint.hostname.as_ref(), Some(&endpoint.target_ref), state)
    }

    /// The pod is the target, else this object itself.
    fn member(
        &self,
        address: &str,
        hostname: Option<&String>,
        target: Option<&Reference>,
        state: State,
    ) -> Option<Member> {
        Some(Member {
            address: address.parse().ok()?,
            hostname: filled(hostname),
            namespace: filled(target.and_then(|target| target.namespace.as_ref()))
                .unwrap_or_else(|| self.metadata.namespace.clone()),
            uid: target.map_or(&self.metadata.uid, |target| &target.uid).clone(),
            state,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(lookup: Lookup, object: serde_json::Value) -> Vec<(String, Option<String>, String)> {
        let object: Object = serde_json::from_value(object).unwrap();
        let plain = |member: Member| (member.address.to_string(), member.hostname, member.namespace);
        object.members(lookup).into_iter().filter(|member| member.state == State::Ready).map(plain).collect()
    }

    fn pod(phase: &str, ready: &str) -> serde_json::Value {
        json!({
            "metadata": {"name": "app-a-0", "namespace": "default", "resourceVersion": "231"},
            "spec": {"hostname": "app-a-0", "subdomain": "beam-cluster"},
            "status": {
                "phase": phase,
                "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}],
                "podIP": "10.0.0.7",
                "podIPs": [{"ip": "10.0.0.7"}, {"ip": "fd00::7"}]
            }
        })
    }

    #[test]
    fn pods_that_run_are_ready_and_stay() {
        let one = ("10.0.0.7".to_owned(), Some("app-a-0".to_owned()), "default".to_owned());
        assert_eq!(members(Lookup::Pods, pod("Running", "True")), [one]);
        for (phase, ready) in [
            ("Running", "False"),
            ("Running", "Unknown"),
            ("Pending", "True"),
            ("Failed", "True"),
            ("Succeeded", "True"),
        ] {
            assert_eq!(members(Lookup::Pods, pod(phase, ready)), [], "{phase} {ready}");
        }
        let mut draining = pod("Running", "True");
        draining["metadata"]["deletionTimestamp"] = json!("2026-11-26T06:53:45Z");
        assert_eq!(members(Lookup::Pods, draining.clone()), []);
        let draining: Object = serde_json::from_value(draining).unwrap();
        assert_eq!(draining.members(Lookup::Pods)[0].state, State::Leaving);
        let mut without_address = pod("Running", "True");
        without_address["status"].as_object_mut().unwrap().remove("podIP");
        assert_eq!(members(Lookup::Pods, without_address), []);
        let pending = json!({"metadata": {"name": "a", "namespace": "b"}, "spec": {}, "status": {"phase": "Pending"}});
        assert_eq!(members(Lookup::Pods, pending), []);
    }

    #[test]
    fn endpoints_that_are_ready() {
        let object = json!({
            "metadata": {"name": "beam-cluster", "namespace": "default"},
            "subsets": [{
                "addresses": [
                    {"ip": "10.0.0.1", "hostname": "a-0", "nodeName": "n",
                     "targetRef": {"kind": "Pod", "namespace": "other", "name": "a-0"}},
                    {"ip": "10.0.0.2"},
                    {"ip": "nowhere"}
                ],
                "notReadyAddresses": [{"ip": "10.0.0.3"}]
            }, {"notReadyAddresses": [{"ip": "10.0.0.4"}]}]
        });
        let expected = [
            ("10.0.0.1".to_owned(), Some("a-0".to_owned()), "other".to_owned()),
            ("10.0.0.2".to_owned(), None, "default".to_owned()),
        ];
        assert_eq!(members(Lookup::Endpoints, object.clone()), expected);
        let object: Object = serde_json::from_value(object).unwrap();
        let unready = object.members(Lookup::Endpoints).into_iter().filter(|member| member.state == State::Unready);
        assert_eq!(unready.map(|member| member.address.to_string()).collect::<Vec<_>>(), ["10.0.0.3", "10.0.0.4"]);
        assert_eq!(members(Lookup::Endpoints, json!({"metadata": {"name": "none"}})), []);
        assert_eq!(members(Lookup::Endpoints, json!({"metadata": {"name": "none"}, "subsets": null})), []);
    }

    #[test]
    fn endpoints_of_slices_that_are_ready_and_do_not_terminate() {
        let endpoint = |address: &str, conditions: serde_json::Value| json!({"addresses": [address], "conditions": conditions, "targetRef": {"kind": "Pod", "namespace": "ns"}});
        let object = json!({
            "metadata": {"name": "beam-cluster-2txth", "namespace": "default"},
            "addressType": "IPv4",
            "endpoints": [
                endpoint("10.0.0.1", json!({"ready": true, "serving": true, "terminating": false})),
                endpoint("10.0.0.2", json!({"ready": false, "serving": true, "terminating": true})),
                // As a service with publishNotReadyAddresses has it.
                endpoint("10.0.0.3", json!({"ready": true, "serving": false, "terminating": true})),
                endpoint("10.0.0.4", json!({})),
                endpoint("10.0.0.5", json!(null)),
                endpoint("10.0.0.6", json!({"ready": false})),
                {"addresses": []}
            ],
            "ports": null
        });
        let found: Vec<_> = members(Lookup::EndpointSlices, object).into_iter().map(|(address, ..)| address).collect();
        assert_eq!(found, ["10.0.0.1", "10.0.0.4", "10.0.0.5"]);
        assert_eq!(members(Lookup::EndpointSlices, json!({"addressType": "IPv6", "endpoints": null})), []);
        let names = json!({"addressType": "FQDN", "endpoints": [{"addresses": ["10.0.0.1"]}]});
        assert_eq!(members(Lookup::EndpointSlices, names), []);
    }
}
