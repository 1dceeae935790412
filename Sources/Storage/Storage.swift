// What services keep, as protocols: a store with transactions, and the records of each service in Domain's terms.
//
// Owns: the shape of records, what a transaction promises, and the five errors of a store. Must not know: SQL, files or servers,
// and no rule of sign-in. Start reading at `Store`, then one service's `<X>Records`. `StorageConformance` tries every promise.
