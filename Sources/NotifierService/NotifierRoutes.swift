package import Messaging
import Wire

extension NotifierService {
    /// The whole table: message to handler.
    package var routes: Routes {
        var routes = Routes(service: .notifier)
        let live = live
        routes.on(Notify.self, notifications.handle)
        routes.on(Subscribe.self) { request, _ in try live.subscribe(request) }
        routes.on(Listen.self) { request, _ in await live.listen(request) }
        routes.on(ListDeliveries.self, deliveries.handle)
        routes.on(ReadPushKey.self, checks.key)
        routes.on(TestPush.self, checks.handle)
        return routes
    }
}
