import Glibc

/// What the system counts for this process, under the names that every Prometheus client uses.
package enum ProcessMetrics {
    package static func register(in registry: MetricsRegistry, startedAt seconds: Double) {
        registry.gauge("process_start_time_seconds", help: "Start of the process, in seconds since 1970.") { seconds }
        registry.gauge("process_resident_memory_bytes", help: "Resident memory of the process.") { residentBytes() }
        registry.gauge("process_open_fds", help: "Open file descriptors of the process.") { openDescriptors() }
        registry.gauge("process_max_fds", help: "File descriptors that the process may have open.") {
            descriptorsMax()
        }
        registry.counter("process_cpu_seconds_total", help: "Processor time of the process, user and system.") {
            cpuSeconds()
        }
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// The second number of /proc/self/statm: resident pages (proc(5)).
    private static func residentBytes() -> Double {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .nan }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file, &bytes, bytes.count)
        let fields = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return .nan }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func descriptorsMax() -> Double {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .nan }
        return Double(limit.rlim_cur)
    }

    private static func openDescriptors() -> Double {
        guard let directory = opendir("/proc/self/fd") else { return .nan }
        defer { closedir(directory) }
        var count = 0.0
        while readdir(directory) != nil { count += 1 }
        // Not the two dots, and not the descriptor that reads the folder.
        return count - 3
    }
}
