//! Coroutines on their own or on shared stacks, switched by the real CPU.
