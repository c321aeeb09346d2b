//! The rules by table, and by a seeded simulation.
