static @WORDS@ fd_philox(int64_t n0, int64_t n1, int64_t n2, int64_t n3, int64_t m0, int64_t m1) {
    /* Philox4x32-10, Salmon et al. 2011 */
    uint32_t c0 = (uint32_t)n0, c1 = (uint32_t)n1, c2 = (uint32_t)n2, c3 = (uint32_t)n3;
    uint32_t k0 = (uint32_t)m0, k1 = (uint32_t)m1;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return @MAKE@(c0, c1, c2, c3);
}

