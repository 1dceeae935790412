// The stores over SQLite: one file and one owner process a service. The only module that imports GRDB and holds SQL.
//
// Owns: transactions, group commit and the schema's history. Must not know: a rule; records say what is stored, Domain says
// what may be. Start reading at `SQLiteStore`, then `GroupCommit`; each service's records have a folder of their own.
