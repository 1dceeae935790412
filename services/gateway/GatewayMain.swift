import GatewayService
import ServiceKit
import Wire

/// The gateway process: the public HTTP API.
@main
enum GatewayMain {
    static func main() async {
        await ServiceMain.run(.gateway, settings: GatewaySettings.keys, check: check) { process in
            let tenants = TenantMirror(caller: process.caller, logger: process.logger, now: process.now)
            let service = GatewayService(
                configuration: try GatewaySettings.configuration(process.settings), caller: process.caller,
                tenants: tenants, readiness: process.readiness, metrics: process.metrics, logger: process.logger,
                tracer: process.tracer,
                soleTenant: { tenants.all.count == 1 ? tenants.all.first?.id : nil }, now: process.now)
            let listening = Dependency("http") { service.isListening }
            return ServiceParts(background: [tenants, service], dependencies: [.tenants(tenants), listening])
        }
    }

    /// Throws where keys do not go together.
    @Sendable private static func check(_ settings: Settings) throws { _ = try GatewaySettings.configuration(settings) }
}
