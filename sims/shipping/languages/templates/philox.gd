func _philox(c0, c1, c2, c3, k0, k1): # Philox4x32-10, Salmon et al. 2011
	for _round in range(10):
		var p0 = 0xD2511F53 * c0 # whole numbers of 64 bits wrap around
		var p1 = 0xCD9E8D57 * c2
		var was1 = c1
		var was3 = c3
		c0 = ((p1 >> 32) & 0xFFFFFFFF) ^ was1 ^ k0
		c1 = p1 & 0xFFFFFFFF
		c2 = ((p0 >> 32) & 0xFFFFFFFF) ^ was3 ^ k1
		c3 = p0 & 0xFFFFFFFF
		k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
		k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
	return @WORDS@.new(c0, c1, c2, c3)


