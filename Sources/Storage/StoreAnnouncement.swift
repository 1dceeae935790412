/// What is heard from the other processes that share a store.
package enum StoreAnnouncement: Hashable, Sendable {
    /// A word that one of them announced.
    case told(String)
    /// Words may have been lost, as at the start of listening and after a break: look at everything.
    case missed
}
