# cputime.sh - processor time of an emulator, exact. Sourced.
#
# utime and stime of /proc/PID/stat are counted in clock ticks: a thread that wakes in step with the tick, as an emulator's
# timer thread does, is charged up to three times what it used. The scheduler's own nanoseconds say what it was.

# pid: nanoseconds of all its threads since they began; of whole ticks where the kernel does not keep the finer figure.
cpu_ns() {
    if [ -r "/proc/$1/schedstat" ]; then
        cat "/proc/$1/task/"*/schedstat 2>/dev/null | awk '{ns += $1} END {printf "%.0f\n", ns}'
    else
        awk -v hz="$(getconf CLK_TCK)" '{printf "%.0f\n", ($14 + $15) * 1000000000 / hz}' "/proc/$1/stat"
    fi
}
