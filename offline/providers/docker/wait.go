package docker

import (
	"context"
	"errors"
	"time"
)

// operationTimeout is what the official provider gives a container or image operation, unless
// the customTimeouts option says otherwise.
const operationTimeout = 20 * time.Minute

// withOperationTimeout bounds an operation for which the engine has set no time.
func withOperationTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, operationTimeout)
}

// pause waits, or returns at once when the user interrupts.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// retryWhile repeats attempt once a second while it fails for a passing reason, for at most limit.
func retryWhile(ctx context.Context, limit time.Duration, passing func(error) bool, attempt func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := attempt()
		if err == nil || !passing(err) || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// answerGrace is how long the daemon may take to answer after the user has interrupted, or the time was over.
const answerGrace = 30 * time.Second

// untilAnswered asks the daemon to make something, and waits for the answer for some time after ctx has ended, too: the
// daemon makes it whether or not somebody waits, and what nobody learns the ID of would be in no state.
func untilAnswered[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	if err := ctx.Err(); err != nil { // nothing is asked for any more
		var none T
		return none, err
	}
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(answerGrace, cancel) })()
	made, err := ask(longer)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = ctx.Err() // which says whether it was the user or the time
	}
	return made, err
}
