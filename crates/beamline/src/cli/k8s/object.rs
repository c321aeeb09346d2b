//! Of manifests, what matters to a cluster of nodes.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::yaml::{Place, Yaml};

/// What is not known before a pod runs, as it stands in names: `<status.podIP>`.
pub(super) const POD_IP: &str = "<status.podIP>";
pub(super) const POD_NAME: &str = "<metadata.name>";
pub(super) const POD_NAMESPACE: &str = "<metadata.namespace>";

/// Put into the annotations of pods, this says which findings were looked at and are as they should be: "K16 K12".
const CHECKED: &str = "beamline/checked";

pub(super) type Labels = BTreeMap<String, String>;

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Spot<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// All of a folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) workloads: Vec<Workload>,
    pub(super) services: Vec<Service>,
    pub(super) roles: Vec<Role>,
    pub(super) bindings: Vec<Binding>,
}

/// Something that makes pods, or a pod.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) selector: Option<Spot<Labels>>,
    /// Of its pods.
    pub(super) labels: Spot<Labels>,
    pub(super) service_name: Option<Spot<String>>,
    pub(super) subdomain: Option<Spot<String>>,
    pub(super) account: Spot<String>,
    /// The codes of findings that were looked at.
    checked: Vec<String>,
    pub(super) node: Option<Node>,
}

/// A container that starts a node.
#[derive(Debug)]
pub(super) struct Node {
    /// With its variables in place.
    pub(super) name: Spot<String>,
    /// The lowest and the highest distribution port, if they are fixed.
    pub(super) listens: Option<Spot<(u16, u16)>>,
    pub(super) ports: Vec<u16>,
    pub(super) strategy: Option<Spot<String>>,
    pub(super) has_config: bool,
    /// The cookie itself, or where it comes from; never shown.
    pub(super) cookie: Option<Spot<String>>,
    pub(super) place: Place,
}

impl Node {
    /// The part before the `@`.
    pub(super) fn base(&self) -> &str {
        self.name.value.split_once('@').map_or(&self.name.value, |(base, _)| base)
    }

    /// The part after it.
    pub(super) fn host(&self) -> &str {
        self.name.value.split_once('@').map_or("", |(_, host)| host)
    }
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) place: Place,
    pub(super) is_headless: bool,
    pub(super) selector: Spot<Labels>,
    pub(super) has_ports: bool,
}

/// A Role or ClusterRole.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) place: Place,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) place: Place,
    pub(super) groups: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) verbs: Vec<String>,
}

/// A RoleBinding or ClusterRoleBinding.
#[derive(Debug)]
pub(super) struct Binding {
    /// None if it holds everywhere.
    pub(super) namespace: Option<String>,
    pub(super) place: Place,
    pub(super) role: Spot<(String, String)>,
    /// Accounts: the name, and the namespace if there is one.
    pub(super) subjects: Vec<Spot<(String, Option<String>)>>,
}

impl Folder {
    pub(super) fn of(documents: &[Yaml]) -> Self {
        let mut folder = Self { workloads: vec![], services: vec![], roles: vec![], bindings: vec![] };
        for document in documents {
            match document.text_at("kind").unwrap_or_default() {
                "Service" => folder.services.push(Service::of(document)),
                "Role" | "ClusterRole" => folder.roles.push(Role::of(document)),
                "RoleBinding" | "ClusterRoleBinding" => folder.bindings.push(Binding::of(document)),
                "Pod" => folder.workloads.extend(Workload::of(document, document)),
                "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                    let template = document.get("spec.template");
                    folder.workloads.extend(template.and_then(|template| Workload::of(document, template)));
                }
                _ => {}
            }
        }
        folder
    }

    /// The workloads that start nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&Workload, &Node)> {
        self.workloads.iter().filter_map(|workload| Some((workload, workload.node.as_ref()?)))
    }

    pub(super) fn service(&self, name: &str, namespace: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name && service.namespace == namespace)
    }

    /// Whether its workload says that it was looked at.
    pub(super) fn is_checked(&self, finding: &Finding) -> bool {
        let about = |workload: &&Workload| finding.workload.as_deref() == Some(workload.name.as_str());
        let mut about = self.workloads.iter().filter(about).flat_map(|workload| &workload.checked);
        about.any(|code| code == finding.code.id())
    }
}

fn name(document: &Yaml) -> String {
    document.text_at("metadata.name").unwrap_or_default().to_owned()
}

fn namespace(document: &Yaml) -> String {
    document.text_at("metadata.namespace").unwrap_or("default").to_owned()
}

/// The line that one looks for: that of the name, as far as there is one.
fn place(document: &Yaml) -> Place {
    document.get("metadata.name").unwrap_or(document).place.clone()
}

fn labels(yaml: &Yaml) -> Labels {
    let entries = yaml.entries().filter_map(|(key, value)| Some((key.to_owned(), value.text()?.to_owned())));
    entries.collect()
}

fn spot(yaml: &Yaml) -> Option<Spot<String>> {
    Some(Spot { value: yaml.text()?.to_owned(), place: yaml.place.clone() })
}

fn texts(list: &[Yaml]) -> Vec<String> {
    list.iter().filter_map(Yaml::text).map(str::to_owned).collect()
}

/// Whether labels have all that a selector asks for. An empty selector selects nothing here.
pub(super) fn selects(selector: &Labels, labels: &Labels) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Labels as `kubectl` writes them.
pub(super) fn shown(labels: &Labels) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

impl Workload {
    fn of(document: &Yaml, template: &Yaml) -> Option<Self> {
        let spec = template.get("spec")?;
        let place = place(document);
        let labels_of = |yaml: &Yaml, path: &str| {
            yaml.get(path).map(|yaml| Spot { value: labels(yaml), place: yaml.place.clone() })
        };
        let account = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).and_then(spot);
        let checked = template.get("metadata.annotations").and_then(|annotations| {
            let (_, value) = annotations.entries().find(|(key, _)| *key == CHECKED)?;
            Some(value.text()?.split([' ', ',']).map(str::to_owned).collect())
        });
        Some(Self {
            kind: document.text_at("kind").unwrap_or_default().to_owned(),
            name: name(document),
            namespace: namespace(document),
            selector: labels_of(document, "spec.selector.matchLabels"),
            labels: labels_of(template, "metadata.labels")
                .unwrap_or_else(|| Spot { value: Labels::new(), place: place.clone() }),
            service_name: document.get("spec.serviceName").and_then(spot),
            subdomain: spec.get("subdomain").and_then(spot),
            account: account.unwrap_or_else(|| Spot { value: "default".to_owned(), place }),
            checked: checked.unwrap_or_default(),
            node: spec.list_at("containers").iter().find_map(Node::of),
        })
    }
}

impl Node {
    /// `None` if this container starts no node: it has no `--name`.
    fn of(container: &Yaml) -> Option<Self> {
        let variables = variables(container);
        let words: Vec<Spot<String>> = ["command", "args"]
            .iter()
            .flat_map(|key| container.list_at(key))
            .filter_map(spot)
            .map(|word| Spot { value: expand(&word.value, &variables), place: word.place })
            .collect();
        let flag = |names: &[&str]| {
            words.iter().enumerate().find_map(|(at, word)| {
                if names.contains(&word.value.as_str()) {
                    return words.get(at + 1).cloned();
                }
                let (name, value) = word.value.split_once('=')?;
                names.contains(&name).then(|| Spot { value: value.to_owned(), place: word.place.clone() })
            })
        };
        let name = flag(&["--name", "-name", "--sname", "-sname"])?;
        let variable = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let cookie = flag(&["--cookie", "-setcookie"]).or_else(|| variable("BEAMLINE_COOKIE"));
        let ports = container.list_at("ports").iter();
        Some(Self {
            name,
            listens: listens(&words),
            ports: ports.filter_map(|port| port.text_at("containerPort")?.parse().ok()).collect(),
            strategy: variable("LIBCLUSTER_STRATEGY"),
            has_config: variable("BEAMLINE_CONFIG").is_some() || flag(&["--config"]).is_some(),
            cookie: cookie.or_else(|| variable("RELEASE_COOKIE")).or_else(|| flag(&["--cookie-file"])),
            place: container.place.clone(),
        })
    }
}

/// The variables of a container, with what is not known as `<fieldPath>` or `<secret NAME/KEY>`.
fn variables(container: &Yaml) -> Vec<(String, Spot<String>)> {
    let mut variables: Vec<(String, Spot<String>)> = Vec::new();
    for variable in container.list_at("env") {
        let Some(name) = variable.text_at("name") else { continue };
        let from = |path: &str| variable.get(path);
        let key = |kind: &str, from: &Yaml| {
            format!("<{kind} {}/{}>", from.text_at("name").unwrap_or_default(), from.text_at("key").unwrap_or_default())
        };
        let (value, place) = if let Some(value) = from("value") {
            (expand(value.text().unwrap_or_default(), &variables), &value.place)
        } else if let Some(field) = from("valueFrom.fieldRef.fieldPath") {
            (format!("<{}>", field.text().unwrap_or_default()), &field.place)
        } else if let Some(secret) = from("valueFrom.secretKeyRef") {
            (key("secret", secret), &secret.place)
        } else if let Some(map) = from("valueFrom.configMapKeyRef") {
            (key("config", map), &map.place)
        } else {
            continue;
        };
        variables.push((name.to_owned(), Spot { value, place: place.clone() }));
    }
    variables
}

/// Puts the values of `$(NAME)` in place, as Kubernetes does: of variables that stand above.
fn expand(text: &str, variables: &[(String, Spot<String>)]) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), &value.value))
}

/// The ports of `inet_dist_listen_min` and `inet_dist_listen_max`, or of `--peer-port`.
fn listens(words: &[Spot<String>]) -> Option<Spot<(u16, u16)>> {
    let mut found: Option<Spot<(u16, u16)>> = None;
    for word in words {
        let parts: Vec<&str> = word.value.split_whitespace().collect();
        for pair in parts.windows(2) {
            let Ok(port) = pair[1].parse::<u16>() else { continue };
            let so_far = found.as_ref().map(|spot| spot.value);
            let range = match pair[0] {
                "inet_dist_listen_min" => (port, so_far.map_or(port, |(_, max)| max)),
                "inet_dist_listen_max" => (so_far.map_or(port, |(min, _)| min), port),
                "-erl_epmd_port" => (port, port),
                _ => continue,
            };
            found = Some(Spot { value: range, place: word.place.clone() });
        }
    }
    if found.is_none() {
        let at = words.iter().position(|word| word.value == "--peer-port")?;
        let port = words.get(at + 1)?;
        let number = port.value.parse().ok()?;
        found = Some(Spot { value: (number, number), place: port.place.clone() });
    }
    found
}

impl Service {
    fn of(document: &Yaml) -> Self {
        let selector = document.get("spec.selector");
        Self {
            name: name(document),
            namespace: namespace(document),
            place: place(document),
            is_headless: document.text_at("spec.clusterIP") == Some("None"),
            selector: Spot {
                value: selector.map(labels).unwrap_or_default(),
                place: selector.map_or_else(|| place(document), |selector| selector.place.clone()),
            },
            has_ports: !document.list_at("spec.ports").is_empty(),
        }
    }
}

impl Role {
    fn of(document: &Yaml) -> Self {
        let rules = document.list_at("rules").iter().map(|rule| Rule {
            place: rule.place.clone(),
            groups: texts(rule.list_at("apiGroups")),
            resources: texts(rule.list_at("resources")),
            verbs: texts(rule.list_at("verbs")),
        });
        Self {
            kind: document.text_at("kind").unwrap_or_default().to_owned(),
            name: name(document),
            namespace: namespace(document),
            place: place(document),
            rules: rules.collect(),
        }
    }
}

impl Binding {
    fn of(document: &Yaml) -> Self {
        let subjects = document.list_at("subjects").iter();
        let subjects = subjects.filter(|subject| subject.text_at("kind") == Some("ServiceAccount"));
        let role = document.get("roleRef").unwrap_or(document);
        let text = |yaml: &Yaml, key| yaml.text_at(key).unwrap_or_default().to_owned();
        let everywhere = document.text_at("kind") == Some("ClusterRoleBinding");
        Self {
            namespace: (!everywhere).then(|| namespace(document)),
            place: place(document),
            role: Spot { value: (text(role, "kind"), text(role, "name")), place: role.place.clone() },
            subjects: subjects
                .map(|subject| Spot {
                    value: (text(subject, "name"), subject.text_at("namespace").map(str::to_owned)),
                    place: subject.place.clone(),
                })
                .collect(),
        }
    }
}
