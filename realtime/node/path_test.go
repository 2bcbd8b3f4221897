package node

import "testing"

func TestThePathOfOneMessage(t *testing.T) { // CON-3, CNT-2, SUB-1, PUB-1, PUB-2, SRV-2
	f := newFixture(t, nil)
	ann, bob := f.bare(), f.bare()
	ann.say(`{"id":1,"connect":{"token":"user ann"}}`)
	ann.want(`{"id":1,"connect":{"connection":"AAAAAAAAAAAAAAAAAAAAAA","user":"ann","server":"bellwire/0.1.0","node":"n1","ping_ms":25000,"pong_ms":8000,"reconnect":{"window_ms":1000},"time_ms":1790000000000,"message_bytes":65536}}`)
	ann.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:lobby"}]}}`)
	ann.want(`{"subscribed":{"channel":"chat:lobby","epoch":"0000000000000-1"}}`, `{"id":2,"subscribe":{}}`)
	bob.say(`{"id":1,"connect":{}}`)
	bob.next()
	bob.say(`{"id":3,"publish":{"channel":"chat:lobby","data":{"text": "hi"},"id":"b6Jx"}}`)
	bob.want(`{"id":3,"publish":{"epoch":"0000000000000-1","offset":1}}`)
	ann.want(`{"publication":{"channel":"chat:lobby","offset":1,"data":{"text":"hi"},"id":"b6Jx","time_ms":1790000000000,"from":{"user":"~AAAAAAAAAAAAAAAAAAAAEA","connection":"AAAAAAAAAAAAAAAAAAAAEA"}}}`)
	ann.quiet()
}
