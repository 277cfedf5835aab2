# Reads the delivery reports in the files that are named, as Mail::DeliveryStatus::BounceParser does; a line of JSON each.
use strict;
use warnings;
use JSON::PP;
use Mail::DeliveryStatus::BounceParser;

for my $name (@ARGV) {
    open my $file, '<:raw', $name or die "$name: $!";
    my $text = do { local $/; <$file> };
    my $read = Mail::DeliveryStatus::BounceParser->new($text);
    my @failed = map { chomp(my $email = $_->get('email')); chomp(my $status = $_->get('status')); [$email, $status] } $read->reports;
    print encode_json({ bounce => $read->is_bounce ? 1 : 0, about => $read->orig_message_id, failed => \@failed }), "\n";
}
