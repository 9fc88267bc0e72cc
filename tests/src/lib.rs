//! Helpers of the end-to-end tests: a service on free ports, real peers, a fake trunk.
