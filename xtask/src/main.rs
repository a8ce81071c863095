//! Set-up, serving, testing and benching of Costack.
fn main() {}
