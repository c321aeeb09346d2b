//! Notebooks: files in Livebook's format, whose cells run at any node of the cluster.
