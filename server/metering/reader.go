package metering

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

// read follows one region's stream until ctx ends. Whatever goes wrong, it looks at the stream afresh and goes on from
// the watermark.
func (s *Service) read(ctx context.Context, region string) {
	wait := retryMin
	for ctx.Err() == nil {
		began := time.Now()
		err := s.session(ctx, region)
		if ctx.Err() != nil {
			return
		}
		s.behind(region)
		if time.Since(began) > expiry {
			wait = retryMin
		}
		s.cfg.Log.Debug("reading usage begins again", "region", region, "err", err, "in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(wait*2, retryMax)
	}
}

// session checks where the stream stands and reads on until something goes wrong.
func (s *Service) session(ctx context.Context, region string) error {
	const op = "metering.session"
	js, err := jetstream.NewWithDomain(s.cfg.NC, region)
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	rctx, cancel := context.WithTimeout(ctx, requestMax)
	defer cancel()
	stream, err := js.Stream(rctx, wire.UsageStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s.caughtUp(region) // the region answers and has not counted anything yet
	}
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	at, err := s.place(rctx, region, stream)
	if err != nil {
		return fault.Wrap(op, err)
	}
	// No acknowledgements: redelivery would come out of order, and with a watermark that loses events.
	cons, err := stream.CreateConsumer(rctx, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: at.watermark + 1,
		MemoryStorage: true, InactiveThreshold: inactiveMax,
	})
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	defer s.drop(stream, cons)
	if cons.CachedInfo().NumPending == 0 {
		s.caughtUp(region)
	}
	msgs, err := cons.Messages(jetstream.PullMaxMessages(aheadMax), jetstream.PullExpiry(expiry), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	defer msgs.Stop()
	return fault.Wrap(op, s.drain(ctx, region, at, msgs))
}

func (s *Service) drop(stream jetstream.Stream, cons jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), retryMin)
	defer cancel()
	_ = stream.DeleteConsumer(ctx, cons.CachedInfo().Name) // best effort: the region drops it by itself
}

// drain applies messages in batches, as many as are there. Every message must be the next of its consumer.
func (s *Service) drain(ctx context.Context, region string, at position, msgs jetstream.MessagesContext) error {
	const op = "metering.drain"
	var delivered, pending uint64
	for {
		var list []message
		for len(list) < batchMax {
			opt := jetstream.NextContext(ctx)
			if len(list) > 0 {
				opt = jetstream.NextMaxWait(batchWait)
			}
			m, err := msgs.Next(opt)
			if len(list) > 0 && err != nil {
				break // what is here is applied first; a lasting error comes back
			}
			if err != nil {
				return fault.E(op, fault.Unavailable, err)
			}
			meta, err := m.Metadata()
			if err != nil {
				return fault.E(op, fault.Other, err)
			}
			if meta.Sequence.Consumer != delivered+1 || meta.Sequence.Stream <= at.watermark {
				return fault.E(op, fault.Behind, fmt.Errorf("message %d of the consumer after %d", meta.Sequence.Consumer, delivered))
			}
			delivered++
			list = append(list, message{meta.Sequence.Stream, meta.Timestamp, m.Data()})
			if pending = meta.NumPending; pending == 0 {
				break
			}
		}
		next, err := s.apply(ctx, region, at, list)
		if err != nil {
			return fault.Wrap(op, err)
		}
		at = next
		if pending == 0 {
			s.caughtUp(region)
		} else {
			s.behind(region)
		}
	}
}

// place finds where to read on. A stream that is not the one that was read, or that was cut back, is read again from its
// beginning: every event is counted once whatever is read, so that only costs time. What was lost is told to an operator.
func (s *Service) place(ctx context.Context, region string, stream jetstream.Stream) (position, error) {
	const op = "metering.place"
	info := stream.CachedInfo()
	state := info.State
	var at position
	var createdMS, readMS int64
	err := s.db.QueryRowContext(ctx, q.Get("reader"), region).Scan(&createdMS, &at.watermark, &at.digest, &at.epoch, &readMS)
	if errors.Is(err, sql.ErrNoRows) {
		at.created = info.Created
		return at, nil
	}
	if err != nil {
		return at, sqlite.Wrap(op, err)
	}
	at.created = time.UnixMilli(createdMS)
	what := ""
	switch {
	case info.Created.UnixMilli() != createdMS:
		what = "the region's usage stream was made anew; it is read from its beginning"
	case state.LastSeq < at.watermark:
		what = fmt.Sprintf("the region's usage stream ends at %d and had been read to %d: it lost its tail and is read again", state.LastSeq, at.watermark)
	case at.watermark > 0 && state.FirstSeq <= at.watermark:
		same, err := sameMessage(ctx, stream, at)
		if err != nil {
			return at, fault.E(op, fault.Unavailable, err)
		}
		if !same {
			what = fmt.Sprintf("the region's usage stream has another event at %d than was read there: it lost its tail and is read again", at.watermark)
		}
	case state.Msgs > 0 && state.FirstSeq > at.watermark+1:
		what = fmt.Sprintf("the region's usage stream begins at %d and had been read to %d: events between were dropped unread", state.FirstSeq, at.watermark)
		return at, s.incident(ctx, region, what, nil)
	}
	if what == "" {
		return at, nil
	}
	at = position{created: info.Created, epoch: at.epoch + 1}
	return at, s.incident(ctx, region, what, &at)
}

// sameMessage tells whether the message at the watermark is the one that was counted. One that is gone proves nothing.
func sameMessage(ctx context.Context, stream jetstream.Stream, at position) (bool, error) {
	m, err := stream.GetMsg(ctx, at.watermark)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return bytes.Equal(digest(m.Data), at.digest), nil
}

// incident notes what went wrong with a stream and, when at is given, where reading begins again.
func (s *Service) incident(ctx context.Context, region, what string, at *position) error {
	s.cfg.Log.Error("usage stream", "region", region, "what", what)
	return sqlite.Tx(ctx, s.db, func(tx *sql.Tx) error {
		b := &batch{ctx: ctx, tx: tx, region: region, now: s.cfg.Now()}
		if _, err := tx.ExecContext(ctx, q.Get("incident"), region, b.now.UnixMilli(), what); err != nil || at == nil {
			return err
		}
		return b.setReader(*at)
	})
}
