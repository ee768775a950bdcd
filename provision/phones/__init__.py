"""What a phone or a computer receives: links, codes, profiles, and the kit that carries them."""
