// Swift's tasks on NIO's event loops.
//
// Owns: the executor that does it. Must not know: what is sent, or to whom. Start reading at `LoopExecutor`.

package import NIOCore

/// Runs tasks on an event loop, so that a request and the code that waits for its reply share a thread: a change of threads for every
/// reply costs the machine more than the reply does.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
