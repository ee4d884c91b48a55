//! Backups: what they hold, what they cost, what damages them, and what a registry that was restored from
//! one does.

mod asked;
mod damaged;
mod interrupted;
mod made;
mod restored;
mod scene;
