// One suite for every back end: what a store promises, tried on a real one.
//
// Owns: the cases. Must not know: any back end, or the test library; a test hands in a way to open a store and runs the cases. Start
// reading at `StoreConformance`; each service's records have cases of their own beside it.
