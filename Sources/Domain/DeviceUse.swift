/// That a sign-in was approved with a device: by its answer, or by a code of it.
package struct DeviceUse: Hashable, Sendable {
    /// How exactly "last used" is known: uses closer together than this are not told, and not written down.
    package static let interval = Duration.seconds(15 * 60)

    package let tenant: TenantID
    package let device: DeviceID
    package let at: Timestamp

    package init(tenant: TenantID, device: DeviceID, at time: Timestamp) {
        self.tenant = tenant
        self.device = device
        at = time
    }
}
