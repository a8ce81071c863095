// costack.h: coroutines on own and on shared stacks, and a runtime for them.
//
// Generated from the sources of costack-capi; a test compares.
//
// A function returns a costack_status: not negative when it has done what it was asked for, else an
// error after which nothing has changed; costack_strerror() tells what it means. Mistakes that can
// be detected are errors and never end the process. Everything stays on the thread that made it.


#ifndef COSTACK_H
#define COSTACK_H

#include <stddef.h>
#include <stdint.h>

// Major version of this header.
#define COSTACK_VERSION_MAJOR 0

// Minor version of this header.
#define COSTACK_VERSION_MINOR 1

// Patch version of this header.
#define COSTACK_VERSION_PATCH 0

// Usable bytes of a stack when 0 are asked for.
#define COSTACK_DEFAULT_STACK_BYTES (1024 * 1024)

// costack_runtime_new(): the clock jumps to the next timer whenever nobody can run.
#define COSTACK_VIRTUAL_TIME 1

// Something that one task completes and others wait for. It counts: each costack_complete() lets
// one wait pass, now or later.
typedef struct costack_completion costack_completion;

// A coroutine: a function with a stack, which can stop at any depth of calls and go on later. It
// stays on the thread that made it.
typedef struct costack_coroutine costack_coroutine;

// A mutex between the tasks of a runtime. Whoever unlocks it hands it to the task that has waited
// longest.
typedef struct costack_mutex costack_mutex;

// Some shared stacks. Each task that shares one is bound, when it first runs, to the stack with
// the fewest live tasks.
typedef struct costack_pool costack_pool;

// Runs tasks on the thread that makes it; a thread has one at most. The code that made it is a
// task too, *main*: it may sleep, lock and join as any task may, and the others run meanwhile.
typedef struct costack_runtime costack_runtime;

// A stack that several coroutines share, one at a time.
//
// While another one runs, a coroutine's bytes are in its save stack; they are copied back to the
// same addresses before it goes on. So nobody may use a pointer to a local variable of a
// coroutine while it is suspended.
typedef struct costack_stack costack_stack;

// A task that can be joined.
typedef struct costack_task costack_task;

// What a function returns: not negative when it has done what it was asked for.
typedef int costack_status;

// What costack_stack_statistics() tells.
typedef struct {
  // Usable bytes.
  size_t bytes;
  // Coroutines on it that have not ended.
  size_t live;
  // Bytes of all save stacks and control blocks.
  size_t save_bytes;
} costack_stack_statistics;

// A coroutine's function. Its argument is the value of the first resume; what it returns is the
// value of the last. C++ exceptions must not leave it.
typedef void *(*costack_function)(void*);

// What may be said about a coroutine. All zero is the default.
typedef struct {
  // The shared stack that it runs on. Null: a stack of its own, from the thread's pool.
  costack_stack *stack;
  // Usable bytes of its own stack. 0: COSTACK_DEFAULT_STACK_BYTES.
  size_t stack_bytes;
  // Bytes that its save stack holds to begin with. 0: what is needed.
  size_t save_bytes;
  // Not 0: it keeps floating-point control words of its own (MXCSR and the x87 control word,
  // FPCR), to begin with those of now. Otherwise it shares them with whoever resumes it, which
  // is faster.
  int keep_fp;
  // A name for costack_name(), copied. May be null.
  const char *name;
} costack_options;

// Where a coroutine is in its life.
typedef int costack_state;

// What is to be done when a coroutine ends; see costack_cleanup_push().
typedef void (*costack_cleanup)(void*);

// What costack_get_statistics() tells.
typedef struct {
  // How often its bytes were copied out because another one needed the stack.
  size_t saves;
  // How often they were copied back.
  size_t restores;
  // Bytes of the last image that was saved.
  size_t image_bytes;
  // Bytes of the largest image that was saved.
  size_t largest_image_bytes;
  // Bytes that its save stack holds now.
  size_t save_bytes;
} costack_statistics;

// What costack_runtime_get_statistics() tells.
typedef struct {
  // How often a task was resumed.
  uint64_t switches;
  // Tasks made.
  uint64_t spawned;
  // Tasks that have not ended, without main.
  uint64_t live;
  // Timers that are set.
  uint64_t timers;
} costack_runtime_statistics;

// A task's function. What it returns, costack_task_join() gives. C++ exceptions must not leave it.
typedef void *(*costack_task_function)(void*);

// What may be said about a task. All zero is the default.
typedef struct {
  // The pool whose stacks it shares. Null: a stack of its own.
  costack_pool *pool;
  // Usable bytes of its own stack. 0: COSTACK_DEFAULT_STACK_BYTES.
  size_t stack_bytes;
  // Microseconds until it starts.
  uint64_t delay_us;
  // Not 0: it keeps floating-point control words of its own.
  int keep_fp;
  // Not 0: costack_runtime_run() does not wait for it.
  int background;
  // A name for reports, copied. May be null.
  const char *name;
} costack_task_options;

// Done.
#define COSTACK_OK 0

// costack_resume(): the coroutine has yielded. The same number as COSTACK_OK.
#define COSTACK_YIELDED 0

// costack_resume(): the coroutine has ended.
#define COSTACK_ENDED 1

// costack_mutex_lock(), costack_completion_wait(): the time was up before.
#define COSTACK_TIMED_OUT 2

// A pointer that must not be null is null.
#define COSTACK_ERROR_NULL -1

// The coroutine or task has ended before.
#define COSTACK_ERROR_FINISHED -2

// The coroutine is running, or waits for one that it has resumed itself.
#define COSTACK_ERROR_RUNNING -3

// The coroutine's shared stack is in use by whoever resumes it, or by one further up.
#define COSTACK_ERROR_STACK_IN_USE -4

// There is no memory for a stack or a save stack.
#define COSTACK_ERROR_OUT_OF_MEMORY -5

// No coroutine of this header is running.
#define COSTACK_ERROR_NO_COROUTINE -6

// The stack has coroutines that have not ended.
#define COSTACK_ERROR_STACK_HAS_COROUTINES -7

// A size is too small or too large.
#define COSTACK_ERROR_SIZE -8

// The thread has no runtime.
#define COSTACK_ERROR_NO_RUNTIME -9

// The thread has a runtime already.
#define COSTACK_ERROR_HAS_RUNTIME -10

// Nothing can run any more, and nothing will wake anybody.
#define COSTACK_ERROR_DEADLOCK -11

// The task was cancelled: it is to end soon.
#define COSTACK_ERROR_CANCELLED -12

// The mutex is held by another task, or by none.
#define COSTACK_ERROR_NOT_OWNER -13

// The task holds this mutex already; to wait for it would wait forever.
#define COSTACK_ERROR_HELD -14

// A task holds it or waits for it.
#define COSTACK_ERROR_BUSY -15

// A coroutine cannot wait like a task: only a task's own function, and what it calls, can.
#define COSTACK_ERROR_IN_COROUTINE -16

// A task cannot wait for itself, nor end its own runtime.
#define COSTACK_ERROR_SELF -17

// There is no cleanup to take back.
#define COSTACK_ERROR_NO_CLEANUP -18

// It has not been resumed yet.
#define COSTACK_STATE_FRESH 0

// It has yielded and can be resumed.
#define COSTACK_STATE_SUSPENDED 1

// It is running, or waits for a coroutine that it has resumed.
#define COSTACK_STATE_RUNNING 2

// It has ended.
#define COSTACK_STATE_ENDED 3

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that the program runs with: major * 1000000 + minor * 1000 + patch.
unsigned int costack_version(void);

// The version of the library as text, such as "1.2.3".
const char *costack_version_string(void);

// What a status means, in a few words and what to do about it. Never null; valid for ever.
const char *costack_strerror(costack_status status);

// Makes a shared stack of at least `bytes` usable bytes (0: COSTACK_DEFAULT_STACK_BYTES), with a
// guard page below, for coroutines of the calling thread.
//
// The caller sees to it that:
// `stack` can be written.
costack_status costack_stack_new(size_t bytes, costack_stack **stack);

// Gives a shared stack back. Coroutines that have ended may be destroyed later; live ones are
// COSTACK_ERROR_STACK_HAS_COROUTINES, and nothing has changed.
//
// The caller sees to it that:
// It came from costack_stack_new() on this thread, and is not used after success.
costack_status costack_stack_destroy(costack_stack *stack);

// Sets how many bytes the save stacks and control blocks of a stack may take together. What goes
// beyond is COSTACK_ERROR_OUT_OF_MEMORY.
//
// The caller sees to it that:
// It came from costack_stack_new() on this thread.
costack_status costack_stack_limit(const costack_stack *stack, size_t bytes);

// Tells about a shared stack.
//
// The caller sees to it that:
// It came from costack_stack_new() on this thread; `statistics` can be written.
costack_status costack_stack_get_statistics(const costack_stack *stack,
                                            costack_stack_statistics *statistics);

// Makes a coroutine that will call `function`. costack_argument() tells it `argument`. `options`
// may be null.
//
// The caller sees to it that:
// `options` is null or can be read, and so can what it points to; a shared stack in it is open
// and of this thread. `coroutine` can be written.
costack_status costack_create(costack_function function,
                              void *argument,
                              const costack_options *options,
                              costack_coroutine **coroutine);

// Runs a coroutine until it yields, COSTACK_YIELDED, or ends, COSTACK_ENDED.
//
// `value` is what its costack_yield() receives, or its function as the argument. Unless `out` is
// null, what it yields or returns is stored there. After an error nothing has changed.
//
// An ordinary C function: it keeps all registers that the ABI calls callee-saved, MXCSR and the
// x87 control word (FPCR) among them if the coroutine keeps its own.
//
// The caller sees to it that:
// The coroutine is of this thread and not destroyed. `out` can be written until this returns.
costack_status costack_resume(costack_coroutine *coroutine, void *value, void **out);

// Gives control and `value` from the running coroutine back to whoever resumed it; returns when
// it is resumed again.
//
// Unless `received` is null, the value that it is resumed with is stored there. Works at any
// depth of calls. COSTACK_ERROR_NO_COROUTINE outside of every coroutine.
//
// An ordinary C function, which keeps what costack_resume() keeps.
//
// The caller sees to it that:
// `received` can be written until this returns. The thread runs on the coroutine's own stack.
costack_status costack_yield(void *value, void **received);

// Ends the running coroutine, from any depth of calls, as if its function returned `value`. Does
// not return, except with COSTACK_ERROR_NO_COROUTINE.
//
// The caller sees to it that:
// The thread runs on the coroutine's own stack, whose frames are not needed any more.
costack_status costack_exit(void *value);

// The running coroutine; null outside of every coroutine.
costack_coroutine *costack_current(void);

// The argument that the running coroutine was made with; null outside of every coroutine.
void *costack_argument(void);

// The name that a coroutine was made with; null when it has none. Valid until it is destroyed.
//
// The caller sees to it that:
// The coroutine is null, or of this thread and not destroyed.
const char *costack_name(const costack_coroutine *coroutine);

// Where a coroutine is in its life: one of COSTACK_STATE_…, or COSTACK_ERROR_NULL.
//
// The caller sees to it that:
// The coroutine is null, or of this thread and not destroyed.
costack_state costack_get_state(const costack_coroutine *coroutine);

// Has the running coroutine call `function` with `argument` when it ends: when its function
// returns, at costack_exit(), and when it is destroyed with its cleanups. The last one pushed is
// called first, on the coroutine's own stack. `argument` may point to a local variable of a
// function that takes the cleanup back before it returns.
//
// The caller sees to it that:
// `function` may be called with `argument` then.
costack_status costack_cleanup_push(costack_cleanup function, void *argument);

// Takes the last cleanup of the running coroutine back, and calls it if `run` is not 0.
//
// The caller sees to it that:
// As for costack_cleanup_push().
costack_status costack_cleanup_pop(int run);

// Frees a coroutine that is not running.
//
// If `run_cleanups` is not 0 and it is suspended, it first calls its cleanups, on its own stack;
// one that yields goes on at once. Otherwise nothing of what it has begun is undone: its frames are
// forgotten. COSTACK_ERROR_RUNNING for one that runs, or waits for one that it has resumed;
// COSTACK_ERROR_STACK_IN_USE when cleanups cannot run because whoever calls this uses its stack.
//
// The caller sees to it that:
// The coroutine is of this thread, and is not used after success.
costack_status costack_destroy(costack_coroutine *coroutine, int run_cleanups);

// Tells what was copied for a coroutine.
//
// The caller sees to it that:
// The coroutine is of this thread and not destroyed; `statistics` can be written.
costack_status costack_get_statistics(const costack_coroutine *coroutine,
                                      costack_statistics *statistics);

// Gives back the stacks that the thread's pool keeps for coroutines to come.
void costack_trim(void);

// Makes the thread's runtime. `flags`: 0 or COSTACK_VIRTUAL_TIME.
//
// The caller sees to it that:
// `runtime` can be written.
costack_status costack_runtime_new(unsigned int flags, costack_runtime **runtime);

// Ends a runtime: cancels its tasks, lets them clean up and return, and gives all stacks back.
// From main only.
//
// The caller sees to it that:
// It came from costack_runtime_new() on this thread, and is not used after success.
costack_status costack_runtime_destroy(costack_runtime *runtime);

// Waits in main until every task has ended, but for those in the background.
// COSTACK_ERROR_DEADLOCK when nothing can run any more and nothing will wake anybody.
//
// The caller sees to it that:
// It came from costack_runtime_new() on this thread.
costack_status costack_runtime_run(costack_runtime *runtime);

// Tells what a runtime has done.
//
// The caller sees to it that:
// It came from costack_runtime_new() on this thread; `statistics` can be written.
costack_status costack_runtime_get_statistics(const costack_runtime *runtime,
                                              costack_runtime_statistics *statistics);

// Makes a task of the thread's runtime. It gets its turn when the running task waits or yields.
// `options` may be null. If `task` is null, the task goes on by itself.
//
// The caller sees to it that:
// `options` is null or can be read, and so can what it points to. `task` is null or can be written.
// With a pool: while the task waits, nobody uses a pointer to its local variables.
costack_status costack_spawn(costack_task_function function,
                             void *argument,
                             const costack_task_options *options,
                             costack_task **task);

// Waits until a task has ended, and stores what its function returned, unless `result` is null.
// The handle is gone afterwards, except when the call itself was not allowed
// (COSTACK_ERROR_NULL, _SELF, _NO_RUNTIME, _IN_COROUTINE).
//
// The caller sees to it that:
// The task came from costack_spawn() on this thread. `result` is null or can be written.
costack_status costack_task_join(costack_task *task, void **result);

// Lets a task go on by itself; the handle is gone.
//
// The caller sees to it that:
// The task came from costack_spawn() on this thread, and is not used afterwards.
costack_status costack_task_detach(costack_task *task);

// Cancels a task: whatever it waits for, now or later, is COSTACK_ERROR_CANCELLED, upon which it
// is to clean up and return. One that has not begun to run never does.
//
// The caller sees to it that:
// The task came from costack_spawn() on this thread.
costack_status costack_task_cancel(costack_task *task);

// Asks a task to stop: costack_stop_requested() tells it.
//
// The caller sees to it that:
// The task came from costack_spawn() on this thread.
costack_status costack_task_stop(costack_task *task);

// Whether a task has ended: 1 or 0, or COSTACK_ERROR_NULL.
//
// The caller sees to it that:
// The task came from costack_spawn() on this thread.
int costack_task_is_ended(const costack_task *task);

// Whether the running task was asked to stop: 1 or 0, or COSTACK_ERROR_NO_RUNTIME.
int costack_stop_requested(void);

// Has the running task, or main, wait for so many microseconds; others run meanwhile.
costack_status costack_sleep_us(uint64_t time_us);

// Lets all other tasks that are ready run first.
costack_status costack_yield_now(void);

// Stores how many microseconds have passed since the thread's runtime was made.
//
// The caller sees to it that:
// `time_us` can be written.
costack_status costack_now_us(uint64_t *time_us);

// Makes `count` shared stacks for tasks of the thread's runtime, one at least, of `bytes` usable
// bytes each (0: COSTACK_DEFAULT_STACK_BYTES).
//
// The caller sees to it that:
// `pool` can be written.
costack_status costack_pool_new(size_t count, size_t bytes, costack_pool **pool);

// Gives a pool back. Tasks that share its stacks keep them until they have ended.
//
// The caller sees to it that:
// It came from costack_pool_new() on this thread, and is not used afterwards.
costack_status costack_pool_destroy(costack_pool *pool);

// Makes a mutex that nobody holds.
//
// The caller sees to it that:
// `mutex` can be written.
costack_status costack_mutex_new(costack_mutex **mutex);

// Waits until the running task has the mutex.
//
// The caller sees to it that:
// It came from costack_mutex_new() on this thread.
costack_status costack_mutex_lock(costack_mutex *mutex);

// Waits for so many microseconds at most: COSTACK_TIMED_OUT then.
//
// The caller sees to it that:
// It came from costack_mutex_new() on this thread.
costack_status costack_mutex_lock_timeout(costack_mutex *mutex, uint64_t time_us);

// Takes the mutex if nobody has it, else COSTACK_ERROR_BUSY.
//
// The caller sees to it that:
// It came from costack_mutex_new() on this thread.
costack_status costack_mutex_try_lock(costack_mutex *mutex);

// Hands the mutex over. Only the task that has it may do so.
//
// The caller sees to it that:
// It came from costack_mutex_new() on this thread.
costack_status costack_mutex_unlock(costack_mutex *mutex);

// Frees a mutex that no task holds or waits for, else COSTACK_ERROR_BUSY.
//
// The caller sees to it that:
// It came from costack_mutex_new() on this thread, and is not used after success.
costack_status costack_mutex_destroy(costack_mutex *mutex);

// Makes a completion that is not completed.
//
// The caller sees to it that:
// `completion` can be written.
costack_status costack_completion_new(costack_completion **completion);

// Waits for a completion and uses it up, unless it was for all.
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread.
costack_status costack_completion_wait(costack_completion *completion);

// Waits for so many microseconds at most: COSTACK_TIMED_OUT then.
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread.
costack_status costack_completion_wait_timeout(costack_completion *completion, uint64_t time_us);

// Lets one wait pass: that of the task that waits longest, or a later one.
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread.
costack_status costack_complete(costack_completion *completion);

// Lets all waits pass, until costack_completion_reinit().
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread.
costack_status costack_complete_all(costack_completion *completion);

// Nothing is completed any more. Those who wait go on waiting.
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread.
costack_status costack_completion_reinit(costack_completion *completion);

// Whether a wait would pass: 1 or 0, or COSTACK_ERROR_NULL.
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread.
int costack_completion_is_done(const costack_completion *completion);

// Frees a completion that no task waits for, else COSTACK_ERROR_BUSY.
//
// The caller sees to it that:
// It came from costack_completion_new() on this thread, and is not used after success.
costack_status costack_completion_destroy(costack_completion *completion);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* COSTACK_H */
