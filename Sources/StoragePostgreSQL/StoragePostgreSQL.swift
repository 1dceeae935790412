// The stores over PostgreSQL: one schema a service, which several processes of it share. The only module that imports libpq.
//
// Owns: connections, transactions and the schema's history. Must not know: a rule; records say what is stored, Domain says
// what may be. Start reading at `PostgreSQLStore`, then `Session` and `Connection`; each service's records have a folder of their
// own. Statements keep to what CockroachDB and YugabyteDB take too; `docs/operations.md` lists the exceptions.
