//! The sans-IO core of Costack: who runs, who owns a stack, what must be copied.
