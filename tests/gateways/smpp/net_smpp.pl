# An SMSC made of Net::SMPP: binds anybody, takes every submit_sm, sends its receipt and an answer of the phone.
use strict;
use warnings;
use IO::Handle;
use Net::SMPP;

my $listener = Net::SMPP->new_listen('127.0.0.1', port => $ARGV[0], smpp_version => 0x34) or die "cannot listen: $!";
STDOUT->autoflush(1);
print "ready\n";
my $smsc = $listener->accept or die "nobody came: $!";
my $count = 0;
while (my $pdu = $smsc->read_pdu()) {
    my $cmd = $pdu->{cmd};
    if ($cmd == 0x09) {
        $smsc->bind_transceiver_resp(system_id => 'perl', seq => $pdu->{seq});
    } elsif ($cmd == 0x04) {
        my $id = sprintf '%08X', 0xA0 + $count++;
        $smsc->submit_sm_resp(message_id => $id, seq => $pdu->{seq});
        print join(' ', $pdu->{source_addr}, $pdu->{destination_addr}, $pdu->{data_coding}, $pdu->{esm_class},
            unpack('H*', $pdu->{short_message})), "\n";
        my %back = (source_addr_ton => 1, source_addr_npi => 1, source_addr => $pdu->{destination_addr},
            dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $pdu->{source_addr}, async => 1);
        $smsc->deliver_sm(%back, esm_class => 4, short_message => sprintf(
            'id:%010d sub:001 dlvrd:001 submit date:2611220139 done date:2611220139 stat:DELIVRD err:000 text:',
            hex $id));
        $smsc->deliver_sm(%back, data_coding => 0, short_message => "SI $count");
    } elsif ($cmd == 0x80000005) {
        print "kept $pdu->{status}\n";
    } elsif ($cmd == 0x15) {
        $smsc->enquire_link_resp(seq => $pdu->{seq});
    } elsif ($cmd == 0x06) {
        $smsc->unbind_resp(seq => $pdu->{seq});
        last;
    }
}
