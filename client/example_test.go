package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/realtime"
)

// These examples are compiled; they need a server, so they are not run.

func Example() {
	ctx := context.Background()
	c, err := client.New("ws://127.0.0.1:8000/ws", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	lobby := c.Channel("chat:lobby", &client.ChannelOptions{Rewind: 10})
	if _, err := lobby.Publish(ctx, map[string]string{"text": "hi"}, nil); err != nil {
		log.Fatal(err)
	}
	for publication, err := range lobby.Publications(ctx) {
		var missed *client.MissedError
		switch {
		case errors.As(err, &missed):
			fmt.Println("some messages are gone:", missed)
		case err != nil:
			log.Fatal(err) // the stream has ended
		default:
			var message struct{ Text string }
			if publication.Decode(&message) == nil {
				fmt.Println(publication.From.User, message.Text)
			}
		}
	}
}

func ExampleChannelOptions_since() {
	ctx := context.Background()
	c, err := client.New("wss://live.example.com/ws", &client.Options{
		Format:      client.Proto,
		TokenSource: func(ctx context.Context) (string, error) { return "a token of the application's backend", nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	kept := loadPosition() // of the last publication that was worked off
	jobs := c.Channel("jobs:mail", &client.ChannelOptions{Since: kept})
	publications := jobs.Publications(ctx)
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	for publication, err := range publications {
		if err != nil {
			log.Fatal(err)
		}
		storePosition(publication.Position)
	}
}

func ExampleChannel_Handle() {
	c, err := client.New("ws://127.0.0.1:8000/ws", &client.Options{
		OnState: func(state client.ConnectionState) { fmt.Println("the line is", state.State) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	poll := c.Channel("poll:lunch", &client.ChannelOptions{State: true})
	stop := poll.Handle(client.Handler{
		StateChanged: func(change *client.StateChanged) { fmt.Println(change.Set, change.Removed) },
		Ended:        func(err error) { fmt.Println("over:", err) },
	})
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := poll.Increment(ctx, "noodles", 1); realtime.CodeOf(err) == realtime.CodePermissionDenied {
		fmt.Println("this vote does not count")
	}
}

func loadPosition() *realtime.Position { return nil }

func storePosition(realtime.Position) {}
