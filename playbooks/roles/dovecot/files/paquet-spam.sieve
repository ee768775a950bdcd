# Written by Paquet; the next deploy overwrites it. Rspamd takes this header off everything that comes in, and sets it on spam.
require ["fileinto", "mailbox"];
if header :is "X-Spam" "Yes" {
    fileinto :create "Junk";
    stop;
}
